const { diag, DiagConsoleLogger, DiagLogLevel } = require('@opentelemetry/api')
const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base')
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node')

/** Starts OpenTelemetry with these instrumentations and keeps the spans in memory. */
exports.keepSpans = (instrumentations) => {
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN)
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  tracerProvider.register()
  registerInstrumentations({ tracerProvider, instrumentations })
  return () => {
    const spans = exporter.getFinishedSpans()
    const nameOf = (id) => spans.find((span) => span.spanContext().spanId === id)?.name
    return spans.map(({ name, attributes, parentSpanContext, status }) => {
      const { 'http.response.status_code': statusCode, 'http.status_code': formerStatusCode } = attributes
      return {
        name,
        parent: nameOf(parentSpanContext?.spanId),
        path: attributes['url.path'] ?? attributes['http.target'],
        route: attributes['http.route'],
        userAgent: attributes['http.user_agent'],
        status: statusCode ?? formerStatusCode,
        error: status.message
      }
    })
  }
}
