import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import express from 'express'

// sigterm.test.ts starts this program, with the built package.
const app = express()
const websockets = wsUpgrade()
app.use(websockets)
app.get('/chat', (req, res) => acceptWebSocket(req, res, (socket) => socket.send('Welcome.')))
const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))

process.once('SIGTERM', () => {
  server.close()
  void websockets.drain()
})
