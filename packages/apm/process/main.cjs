// What the tests start: one subject's server under one monitor, which has to be loaded before everything else.
const [, , monitorName, subjectName] = process.argv
const monitor = require(`./monitors/${monitorName}.cjs`)
const { start } = require(`./subjects/${subjectName}.cjs`)

async function main() {
  const { port, close } = await start()
  process.send({ port })
  process.once('message', close)
  // Now every connection has ended, and whoever waits for that knows it.
  process.once('beforeExit', async () => process.send({ spans: await monitor.spans() }))
}

void main()
