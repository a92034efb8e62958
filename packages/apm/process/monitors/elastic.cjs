const spans = []
/** Collects the spans; nothing leaves the process. */
const transport = {
  addMetadataFilter() {},
  config() {},
  destroy() {},
  flush: (...rest) => process.nextTick(rest.at(-1)),
  lambdaShouldRegisterTransactions: () => false,
  lambdaStart() {},
  sendError: ({ exception }) => spans.push({ name: 'error', error: exception }),
  sendMetricSet() {},
  sendSpan: ({ name }) => spans.push({ name }),
  sendTransaction({ name, context }, done) {
    const { request, response } = context
    spans.push({ name, path: request.url.pathname, status: response.status_code })
    done?.()
  },
  setExtraMetadata() {},
  supportsKeepingUnsampledTransaction: () => true
}

const agent = require('elastic-apm-node').start({
  serviceName: 'apm-tests',
  serverUrl: 'http://127.0.0.1:1',
  centralConfig: false,
  cloudProvider: 'none',
  logLevel: 'warning',
  metricsInterval: '0s',
  transport: () => transport
})

exports.spans = async () => {
  await agent.flush()
  return spans
}
