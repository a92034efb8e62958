/** Differences between the runtimes that the contract does not cover. Each is a row of docs/runtimes.md. */
import { EventEmitter, once } from 'node:events'
import http, { type RequestListener, type Server } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { closed, connectClient, handshake, headArrived, openRaw, read } from '@oneport/adapter-testsuite/parts'
import { type Attachment, type AttachOptions, acceptWebSocket, attach } from '@oneport/core'
import { acceptWebSocket as acceptInExpress, wsUpgrade } from '@oneport/express'
import express from 'express'
import * as ws from 'ws'
import { lacks } from './privates.ts'

export const facts: readonly (readonly [row: string, ask: () => unknown])[] = [
  ["`require('ws')` in an application gives", () => (isPackage(ws) ? 'the package' : "the runtime's own module")],
  ['`captureRejections` gives each emitter its own `emit`', () => yesOrNo(hasOwnEmit())],
  ['Express: first handshake on a server without `attach(server)`', firstHandshakeInExpress],
  ['Handshake pipelined behind an unanswered request', pipelinedHandshake],
  ['Handshake that another `upgrade` listener answers later', handshakeOfOthers],
  ['`server.close()` drains a server that is handed its connections', async () => yesOrNo(await drainsHanded())],
  ['`bytesIn` includes the handshake', async () => yesOrNo((await bytesIn()) > 100)],
  [
    'Undocumented parts of Node that core uses and the runtime lacks',
    async () => (await lacks()).join(', ') || 'nothing'
  ]
]

const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no')

function hasOwnEmit(): boolean {
  return Object.hasOwn(new EventEmitter({ captureRejections: true }), 'emit')
}

async function listen(server: Server | net.Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

const statusOf = (response: string): string => /^HTTP\/1\.1 (\d{3})/.exec(response)?.[1] ?? 'nothing'

async function firstHandshakeInExpress(): Promise<string> {
  const app = express().set('env', 'test')
  app.use(wsUpgrade())
  app.get('/', (req, res) => acceptInExpress(req, res, (socket) => socket.terminate()))
  const server = http.createServer(app)
  const raw = await openRaw({ port: await listen(server) })
  raw.write(handshake('/'))
  const status = statusOf(await read(raw, headArrived))
  raw.destroy()
  await once(server.close(), 'close')
  return status
}

/** A server with an endpoint at every path except `/late`. */
function serve(options?: AttachOptions): { readonly server: Server; readonly attachment: Attachment } {
  const listener: RequestListener = (req, res) => {
    if (req.url === '/late') setTimeout(() => res.end('late'), 50)
    else void acceptWebSocket(req, res, (socket) => socket.on('message', (data) => socket.send(String(data))))
  }
  const server = http.createServer(listener)
  return { server, attachment: attach(server, listener, options) }
}

async function pipelinedHandshake(): Promise<string> {
  const { server } = serve()
  const raw = await openRaw({ port: await listen(server) })
  raw.write(`GET /late HTTP/1.1\r\nHost: a\r\n\r\n${handshake('/')}`)
  const text = await read(raw, (all) => all.includes('late') && /late.*\r\n\r\n/s.test(all))
  raw.destroy()
  await once(server.close(), 'close')
  return statusOf(text.slice(text.lastIndexOf('HTTP/1.1')))
}

/** The application answers 404; then the listener that the path belongs to accepts. */
async function handshakeOfOthers(): Promise<string> {
  const server = http.createServer((_req, res) => {
    res.writeHead(404).end('not here')
    void accept()
  })
  attach(server)
  let theirs: Duplex | undefined
  server.on('upgrade', (_req, socket: Duplex) => {
    theirs = socket
  })
  const accept = async (): Promise<void> => {
    await setImmediate()
    theirs?.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
  }
  const raw = await openRaw({ port: await listen(server) })
  raw.write(handshake('/'))
  const status = statusOf(await read(raw, headArrived))
  raw.destroy()
  theirs?.destroy()
  await once(server.close(), 'close')
  return status
}

async function drainsHanded(): Promise<boolean> {
  const { server, attachment } = serve()
  const front = net.createServer({ pauseOnConnect: true }, (socket) => {
    server.emit('connection', socket)
    socket.resume()
  })
  const { socket } = await connectClient({ port: await listen(front) }, '/')
  await new Promise((resolve) => server.close(resolve))
  await setImmediate()
  const { draining } = attachment.stats()
  const end = closed(socket)
  await Promise.all([attachment.drain(), end])
  await once(front.close(), 'close')
  return draining
}

/** The `bytesIn` of `onClosed`, for a connection whose client has sent a message of one byte. */
async function bytesIn(): Promise<number> {
  let tell = (_bytes: number): void => {}
  const told = new Promise<number>((resolve) => {
    tell = resolve
  })
  const { server } = serve({ onClosed: (_socket, { bytesIn }) => tell(bytesIn) })
  const { socket, next } = await connectClient({ port: await listen(server) }, '/')
  socket.send('x')
  await next()
  socket.close()
  const bytes = await told
  await once(server.close(), 'close')
  return bytes
}

/** Other modules named `ws` have a `Receiver` without `write`. */
function isPackage({ Receiver }: typeof ws & { Receiver?: { prototype: object } }): boolean {
  return Receiver !== undefined && 'write' in Receiver.prototype
}
