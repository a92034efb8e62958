import { subscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { acceptWebSocket, attach } from '@oneport/core'

// backlog.test.ts starts this program, with the built package: an endpoint that echoes. Reports the memory of the
// process when a connection is closed because of what waits for its client, and counts the echoes.
const { options = {}, tls } = JSON.parse(process.argv[2] ?? '{}')

const listener = (req, res) =>
  acceptWebSocket(req, res, (socket) =>
    socket.on('message', (data, isBinary) => {
      if (req.url === '/burst') burst(socket, Number(String(data)))
      else socket.send(data, { binary: isBinary })
    })
  )

/** Sends that many messages at once, as long as the connection is open: the client asks for more while it is closing. */
function burst(socket, count) {
  for (let sent = 0; sent < count && socket.readyState === socket.OPEN; sent++) socket.send('x')
}

const memory = () => {
  // Before anything is collected. Not `maxRSS`: a process inherits that from its parent.
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
