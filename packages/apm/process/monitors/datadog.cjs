// The exporter writes the spans to stdout, where this file collects them; nothing is sent to an agent.
const lines = []
process.stdout.write = (line) => {
  lines.push(line)
  return true
}
require('dd-trace').init({
  hostname: '127.0.0.1',
  port: 1,
  experimental: { exporter: 'log' },
  remoteConfig: { enabled: false },
  runtimeMetrics: false,
  startupLogs: false,
  telemetry: { enabled: false }
})

exports.spans = () => {
  const spans = lines.flatMap((line) => JSON.parse(line).traces.flat())
  const nameOf = (id) => spans.find(({ span_id: own }) => own === id)?.name
  const linked = (links) => JSON.parse(links ?? '[]').map(({ span_id: id, attributes }) => [nameOf(id), attributes])
  return spans
    .filter(({ meta: { component } }) => ['ws', 'http', 'express', 'fastify'].includes(component))
    .map(({ name, resource, meta, metrics, parent_id: parent, error }) => ({
      monitored: meta.component,
      name,
      resource,
      parent: nameOf(parent),
      status: Number(meta['http.status_code']),
      kind: meta['span.kind'],
      links: linked(meta['_dd.span_links']),
      length: metrics['websocket.message.length'],
      closed: [metrics['websocket.close.code'], meta['websocket.close.reason']],
      error
    }))
}
