import { subscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { acceptWebSocket, attach } from '@oneport/core'

// What memory.test.ts starts, with the package as built: an endpoint that echoes. It says what the process has in memory
// when a connection is closed for what waits for its client, and counts what it echoes.
const { options = {}, tls } = JSON.parse(process.argv[2] ?? '{}')

const listener = (req, res) =>
  acceptWebSocket(req, res, (socket) =>
    socket.on('message', (data, isBinary) => {
      if (req.url === '/burst') burst(socket, Number(String(data)))
      else socket.send(data, { binary: isBinary })
    })
  )

/** Sends that many messages at once. */
function burst(socket, count) {
  for (let sent = 0; sent < count; sent++) socket.send('x')
}

const memory = () => {
  // Before anything is collected. Not `maxRSS`: a process begins with that of the one that has started it.
  const { rss: peak } = process.memoryUsage()
  globalThis.gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { used: heapUsed + external, rss, peak }
}

const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
const attachment = attach(server, listener, { ...options, heartbeat: false })
subscribe('oneport:connection:terminated', ({ cause }) => process.send({ cause, ...memory() }))
process.on('message', () => process.send({ ...memory(), stats: attachment.stats() }))
server.listen(0, '127.0.0.1', () => process.send(server.address().port))
