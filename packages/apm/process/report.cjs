/** Tells the tests where a server listens; once they say so, closes it, and tells them what the monitor has recorded. */
exports.report = ({ port, close }, monitor) => {
  process.send({ port })
  process.once('message', close)
  // By now every connection has ended and its spans are complete.
  process.once('beforeExit', async () => process.send({ spans: await monitor.spans() }))
}
