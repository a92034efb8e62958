import { createServer } from 'node:http'
import { acceptWebSocket, attach } from '@oneport/core'

// sigterm.test.ts starts this program, with the built package.
const listener = (req, res) => acceptWebSocket(req, res, (socket) => socket.send('Welcome.'))
const server = createServer(listener)
const attachment = attach(server, listener)
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))

process.once('SIGTERM', () => {
  server.close()
  void attachment.drain()
})
