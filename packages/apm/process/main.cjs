// The tests start this program: the server of one subject under one monitor. The monitor has to be loaded before
// everything else.
const [, , monitorName, subjectName] = process.argv
const monitor = require(`./monitors/${monitorName}.cjs`)
const { start } = require(`./subjects/${subjectName}.cjs`)

async function main() {
  const { port, close } = await start()
  process.send({ port })
  process.once('message', close)
  // By now every connection has ended and its spans are complete.
  process.once('beforeExit', async () => process.send({ spans: await monitor.spans() }))
}

void main()
