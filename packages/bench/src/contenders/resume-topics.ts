import { createServer, type RequestListener } from 'node:http'
import type { Server } from 'node:net'
import { acceptWebSocket, attach } from '@oneport/core'
import { redisBackplane } from '@oneport/redis'
import { createTopics, type Topics } from '@oneport/topics'
import { createClient } from 'redis'
import { broadcastAsAsked, broadcastTextOf } from './broadcast.ts'
import { answerPlain, largeMessageDeflate, listen, origin, path, type Settings } from './endpoint.ts'

/** What socket.io's adapter for Redis keeps by default, for as long as its connection state recovery lasts. */
const history = { messages: 10_000, ms: 120_000 }
/** A message of a kind that the protocol does not know is one for the application. */
const command = /^broadcast (\d+)$/

let server: Server
let topics: Topics

/** Oneport without a framework, with topics that clients subscribe to by themselves, and come back to. */
export async function start({ deflate, size = 256, redisUrl, port }: Settings): Promise<Server> {
  topics = createTopics({
    history,
    ...(redisUrl !== undefined && { backplane: redisBackplane({ client: createClient({ url: redisUrl }) }) })
  })
  const text = broadcastTextOf(size)
  const options = { ...(deflate && { perMessageDeflate: largeMessageDeflate }) }
  const listener: RequestListener = (req, res) => {
    if (req.url !== path) return answerPlain(req, res)
    acceptWebSocket(req, res, options, (socket) => {
      socket.on('error', () => {})
      topics.serve(socket, { mayRead: () => true, mayPublish: () => true })
      socket.on('message', (data) => {
        const asked = command.exec(String(data))?.[1]
        if (asked !== undefined) broadcastAsAsked(asked, () => topics.publish('news', text))
      })
    })
  }
  const http = createServer(listener)
  server = http
  attach(http, listener, { allowedOrigins: [origin], subprotocols: [topics.subprotocol], onRefused: () => {} })
  return listen(http, port)
}

export async function stop(): Promise<void> {
  await new Promise((resolve) => server.close(resolve))
  await topics.close()
}
