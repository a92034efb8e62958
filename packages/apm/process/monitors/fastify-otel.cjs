const { FastifyOtelInstrumentation } = require('@fastify/otel')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { keepSpans } = require('../opentelemetry.cjs')

exports.spans = keepSpans([
  new HttpInstrumentation(),
  new FastifyOtelInstrumentation({ registerOnInitialization: true })
])
