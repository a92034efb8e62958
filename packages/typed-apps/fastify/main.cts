import Fastify = require('fastify')

import { wsPlugin } from '@oneport/fastify'

const app = Fastify({ logger: true })
app.register(wsPlugin, { maxConnections: 10 })
app.register(async (instance) => {
  instance.get('/chat', { websocket: true }, (socket, request) => socket.send(request.url))
})
