import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import { createTopics } from '@oneport/topics'
import express from 'express'

const port = Number(process.env.PORT ?? 3000)
const root = fileURLToPath(new URL('.', import.meta.url))

const app = express()
const server = createServer(app)
const topics = createTopics()
let count = 0

app.use(wsUpgrade({ maxPayloadBytes: 1_024 }))
app.get('/api/count', (req, res) =>
  acceptWebSocket(req, res, (socket) => {
    topics.subscribe(socket, 'count')
    socket.send(String(count))
    socket.on('message', () => topics.publish('count', String(++count)))
  })
)

if (process.env.NODE_ENV === 'production') {
  app.use(express.static(`${root}/dist`))
} else {
  // Vite serves the page from its sources, and its hot reload is a WebSocket on the same server.
  const { createServer: createVite } = await import('vite')
  const vite = await createVite({ root, server: { middlewareMode: true, ws: { server } } })
  app.use(vite.middlewares)
}

server.listen(port, () => console.log(`Open http://localhost:${port}/`))
