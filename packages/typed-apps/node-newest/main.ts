/** An application without a framework: all types of Node that Oneport needs are in the declarations of core. */
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { acceptWebSocket, attach, type RawData, type WebSocket } from '@oneport/core'
import { connect } from '@oneport/testing'
import { createTopics } from '@oneport/topics'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles for `true` only. */
const holds = <_Claim extends true>(): void => {}

const topics = createTopics<WebSocket>()
const server = createServer((req, res) =>
  acceptWebSocket(req, res, { perMessageDeflate: { zlibDeflateOptions: { level: 1 } } }, (socket) => {
    topics.subscribe(socket, 'news')
    socket.on('message', function (data, isBinary) {
      holds<Same<typeof data, RawData>>()
      holds<Same<typeof isBinary, boolean>>()
      holds<Same<typeof this, WebSocket>>()
      this.send(data, { binary: isBinary })
    })
    socket.once('close', (code, reason) => socket.emit('gone', code, String(reason)))
    socket.on('gone', (code: number, reason: string) => `${code} ${reason}`).off('gone', () => {})
    socket.addEventListener('error', ({ message }) => topics.publish('news', message, { except: socket }))
    // @ts-expect-error a promise cannot be sent
    socket.send(Promise.resolve('hello'))
  })
)
const attachment = attach(server)
for (const socket of attachment.connections) holds<Same<typeof socket, WebSocket>>()
for (const socket of topics.subscribers('news')) socket.ping('still here')
attach(createHttp2Server(), (req, res) => acceptWebSocket(req, res, (socket) => socket.close(1000)))
const client = await connect(server, '/')
client.socket.on('ping', (data) => holds<Same<typeof data, Buffer>>())
