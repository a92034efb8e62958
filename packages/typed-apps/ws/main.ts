/** An application that also uses `ws` itself. For TypeScript, its sockets and those of Oneport are the same. */
import { createServer, type IncomingMessage } from 'node:http'
import {
  acceptWebSocket,
  attach,
  type EndpointOptions,
  type PerMessageDeflateOptions,
  type RawData,
  type WebSocket,
  type WebSocketHandler
} from '@oneport/core'
import type { Client } from '@oneport/testing'
import { createTopics, type Topics } from '@oneport/topics'
import * as ws from 'ws'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
const holds = <_Claim extends true>(): void => {}

const broadcast = (sockets: ReadonlySet<ws.WebSocket>, data: ws.RawData): void => {
  for (const socket of sockets) if (socket.readyState === ws.WebSocket.OPEN) socket.send(data)
}
const named = new WeakMap<ws.WebSocket, string>()
const serveTheirs = (socket: ws.WebSocket, req: IncomingMessage): void => socket.send(req.url ?? '')
const serveOurs: WebSocketHandler = serveTheirs
const theirs: (socket: ws.WebSocket, req: IncomingMessage) => unknown = serveOurs
new ws.WebSocketServer({ noServer: true }).on('connection', serveOurs).on('connection', theirs)

const perMessageDeflate: ws.PerMessageDeflateOptions = { threshold: 1_024, zlibDeflateOptions: { level: 1 } }
const sameOptions: PerMessageDeflateOptions = perMessageDeflate
const toWs: ws.PerMessageDeflateOptions = { serverNoContextTakeover: true } satisfies PerMessageDeflateOptions
const options: EndpointOptions = { perMessageDeflate, ws: { autoPong: false, skipUTF8Validation: true } }

const topics = createTopics()
const server = createServer((req, res) =>
  acceptWebSocket(req, res, options, (socket) => {
    holds<Same<typeof socket, WebSocket>>()
    const mine: ws.WebSocket = socket
    const back: WebSocket = mine
    named.set(socket, 'somebody')
    topics.subscribe(back, 'news')
    topics.publish('news', 'hello', { except: mine })
    // True for sockets opened by the same copy of `ws`.
    if (socket instanceof ws.WebSocket) {
      const narrowed: ws.WebSocket & WebSocket = socket
      narrowed.ping()
    }
    socket.on('message', function (data, isBinary) {
      holds<Same<typeof data, ws.RawData>>()
      holds<Same<typeof data, RawData>>()
      holds<Same<typeof isBinary, boolean>>()
      this.send(data, { binary: isBinary }, (error) => error?.message)
      broadcast(attachment.connections, data)
    })
    socket.once('close', (code, reason) => {
      holds<Same<typeof code, number>>()
      holds<Same<typeof reason, Buffer>>()
    })
    socket.on('error', (error) => holds<Same<typeof error, Error>>()).on('open', () => {})
    socket.off('pong', (data) => holds<Same<typeof data, Buffer>>())
    socket.on('named', (name: string) => named.set(socket, name)).emit('named', 'nobody')
    socket.onmessage = ({ data, target }) => {
      holds<Same<typeof data, ws.Data>>()
      target.send(data as string)
    }
    socket.addEventListener('close', ({ code, reason, wasClean }) => socket.emit('gone', code, reason, wasClean))
    // @ts-expect-error a promise cannot be sent
    socket.send(Promise.resolve('hello'))
    // @ts-expect-error nor can an object
    socket.send({ text: 'hello' })
  })
)
const attachment = attach(server, { ws: { maxFragments: 10 } })
// @ts-expect-error no option of `ws` has this name
attach(server, { ws: { autopong: false } })

const wssClients: Set<ws.WebSocket> = new ws.WebSocketServer({ server }).clients
for (const socket of attachment.connections) wssClients.add(socket)
for (const socket of topics.subscribers('news')) socket.terminate()
const exact: Topics<ws.WebSocket> = createTopics({ onError: (_error, socket: ws.WebSocket) => socket.ping() })
for (const socket of exact.subscribers('news')) socket.ping()
export const inside = (client: Client): ws.WebSocket => client.socket
export { sameOptions, toWs }
