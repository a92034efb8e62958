import { fileURLToPath } from 'node:url'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import express from 'express'

const app = express()
// nginx runs on this machine: what it says about a visitor is believed, what anybody else says is not.
app.set('trust proxy', 'loopback')

const websockets = wsUpgrade()
app.use(websockets)
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))))

app.get('/visitor', (req, res) =>
  acceptWebSocket(req, res, (socket) => {
    socket.send(JSON.stringify({ address: req.ip, scheme: req.protocol, host: req.host }))
    socket.on('message', (data) => socket.send(JSON.stringify({ echo: String(data) })))
  })
)

/** Listens for nginx alone: nobody else can reach this address. */
export const server = app.listen(Number(process.env.APP_PORT ?? 3001), '127.0.0.1')

/** Tells the clients with 1001, waits for them, and ends. */
export async function stop() {
  server.close()
  await websockets.drain()
  server.closeAllConnections()
}
