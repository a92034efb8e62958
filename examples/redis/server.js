import { fileURLToPath } from 'node:url'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import { redisBackplane } from '@oneport/redis'
import { createTopics } from '@oneport/topics'
import express from 'express'
import { createClient } from 'redis'

const port = Number(process.env.PORT ?? 3000)
const url = process.env.REDIS_URL ?? 'redis://localhost:6379'

/** Says once that Redis is away. The backplane goes on trying. */
let isTold = false
function onError(error) {
  if (!isTold)
    console.error(`Process ${process.pid} is on its own: no Redis at ${url} (${error.code ?? error.message}).`)
  isTold = true
}

const topics = createTopics({ backplane: redisBackplane({ client: createClient({ url }), onError }) })

const app = express()
app.use(wsUpgrade({ maxPayloadBytes: 4_096, messageBudget: { messages: 20, perMs: 10_000 } }))
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))))

app.get('/chat', (req, res) =>
  acceptWebSocket(req, res, (socket) => {
    socket.send(JSON.stringify({ process: process.pid }))
    topics.subscribe(socket, 'chat')
    socket.on('message', (data) => {
      topics.publish('chat', JSON.stringify({ process: process.pid, text: String(data) }))
    })
  })
)
app.get('/health', (_req, res) => res.json({ process: process.pid, redis: topics.stats().backplane }))

app.listen(port)
