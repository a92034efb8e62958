const { WSInstrumentation } = require('opentelemetry-instrumentation-ws')
const { keepSpans } = require('../opentelemetry.cjs')

exports.spans = keepSpans([new WSInstrumentation({ sendSpans: true, messageEvents: true })])
