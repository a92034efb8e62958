import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { acceptWebSocket, attach } from '@oneport/core'
import { connect } from '@oneport/testing'
import { createTopics } from '@oneport/topics'

const server = createServer()

// error: 'allowedOrigin' does not exist in type … Did you mean to write 'allowedOrigins'?
attach(server, { allowedOrigin: [] })

// error: 'allowedOrigin' does not exist in type … Did you mean to write 'allowedOrigins'?
attach(createHttp2Server(), { allowedOrigin: [] })

// error: 'allowedOrigin' does not exist in type 'AttachOptions'. Did you mean to write 'allowedOrigins'?
attach(server, (_req, res) => void res.end(), { allowedOrigin: [] })

// error: Property 'ended' does not exist on type 'ServerResponse
attach(server, (_req, res) => void res.ended)

// error: Property 'ended' does not exist on type 'Http2ServerResponse
attach(createHttp2Server(), (_req, res) => void res.ended)

server.on('request', (req, res) => {
  // error: 'subprotocol' does not exist in type 'AcceptOptions'. Did you mean to write 'subprotocols'?
  void acceptWebSocket(req, res, { subprotocol: ['chat'] }, (socket) => socket.send('Welcome.'))
})

const attachment = attach(server)

// error: 'spread' does not exist in type 'DrainOptions'. Did you mean to write 'spreadMs'?
await attachment.drain({ spread: 1_000 })

const topics = createTopics()

// error: 'maxTopicsPerSockets' does not exist in type 'TopicsOptions
createTopics({ maxTopicsPerSockets: 5 })

// error: 'excepts' does not exist in type 'PublishOptions
topics.publish('news', 'Hello.', { excepts: [] })

// error: 'origins' does not exist in type 'ConnectOptions'. Did you mean to write 'origin'?
await connect(server, '/', { origins: 'same-origin' })
