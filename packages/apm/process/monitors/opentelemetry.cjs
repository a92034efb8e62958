const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express')
const { FastifyInstrumentation } = require('@opentelemetry/instrumentation-fastify')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { keepSpans } = require('../opentelemetry.cjs')

exports.spans = keepSpans([new HttpInstrumentation(), new ExpressInstrumentation(), new FastifyInstrumentation()])
