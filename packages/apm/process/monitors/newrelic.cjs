// Nothing listens at the address of the collector.
Object.assign(process.env, {
  NEW_RELIC_APP_NAME: 'apm-tests',
  NEW_RELIC_LICENSE_KEY: '0'.repeat(40),
  NEW_RELIC_HOST: '127.0.0.1',
  NEW_RELIC_PORT: '1',
  NEW_RELIC_LOG_ENABLED: 'false'
})
for (const cloud of ['AWS', 'AZURE', 'DOCKER', 'GCP', 'KUBERNETES', 'PCF']) {
  process.env[`NEW_RELIC_UTILIZATION_DETECT_${cloud}`] = 'false'
}
const { agent } = require('newrelic')

const spans = []
agent.on('transactionFinished', (transaction) => {
  const { url: path, statusCode: status } = transaction
  spans.push({ name: transaction.getFullName(), path, status, error: transaction.exceptions.length || undefined })
})

exports.spans = () => spans
