import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import {
  closed,
  connectClient,
  handshake,
  headArrived,
  openSession,
  sendConnect,
  sendRaw,
  webSocketOn
} from '@oneport/test-kit'
import { adopt } from '../src/adapter.ts'
import { type Attachment, type AttachOptions, acceptWebSocket, attach, type HttpServer } from '../src/index.ts'
import { start, stopAll } from './server.ts'

afterEach(stopAll)

describe('adopt()', () => {
  /** A server whose handshakes move, after a while, to an attachment with these options. */
  function serverOf(options: AttachOptions, server: HttpServer = http.createServer()) {
    const former = attach(server, { maxPendingHandshakes: 9, onRefused: () => {} })
    let current: Attachment | undefined
    server.on('request', async (req: http.IncomingMessage, res: http.ServerResponse) => {
      await setImmediate()
      if (current === undefined) {
        former.detach()
        current = attach(server, options)
      }
      try {
        adopt(req, current)
      } catch (error) {
        res.writeHead((error as { status: number }).status).end()
        return
      }
      void acceptWebSocket(req, res, (socket) => socket.send(req.headers.authorization ?? 'open'))
    })
    return { server, former, current: () => current as Attachment }
  }

  test('moves a pending handshake, whose place, counts and reports are those of the new attachment', async () => {
    const refusals: string[] = []
    const served = serverOf({ maxConnections: 2, onRefused: ({ code }) => refusals.push(code) })
    const { target } = await start(served.server as http.Server, served.former)
    const answers = await Promise.allSettled([1, 2, 3].map(() => connectClient(target, '/')))
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(served.current().connections.size).toBe(2)
    expect(served.current().stats()).toMatchObject({ accepted: 2, pending: 0, refused: { HANDSHAKE_UNAVAILABLE: 1 } })
    expect(served.former.stats()).toMatchObject({ accepted: 0, pending: 0, refused: {} })
    expect(refusals).toEqual(['HANDSHAKE_UNAVAILABLE'])
    expect(await served.former.drain()).toEqual({ closed: 0, terminated: 0 })
    expect(await served.current().drain()).toEqual({ closed: 2, terminated: 0 })
  })

  test('takes a bearer token from the subprotocols', async () => {
    const served = serverOf({ bearerSubprotocol: 'bearer.', subprotocols: ['chat'] })
    const { target } = await start(served.server as http.Server, served.former)
    const { next, socket } = await connectClient(target, '/', ['chat', 'bearer.secret'])
    expect([await next(), socket.protocol]).toEqual(['Bearer secret', 'chat'])
    const end = closed(socket)
    socket.close()
    await end
  })

  test('throws what the new attachment refuses before the application sees it', async () => {
    const served = serverOf({ bearerSubprotocol: 'bearer.', onRefused: () => {} })
    const { target } = await start(served.server as http.Server, served.former)
    const two = handshake('/', { 'Sec-WebSocket-Protocol': 'bearer.a, bearer.b' })
    expect((await sendRaw(target, two, headArrived)).status).toBe(400)
    expect(served.current().stats().refused).toEqual({ HANDSHAKE_SUBPROTOCOL: 1 })
  })

  test('moves a handshake over HTTP/2, so that server.close() ends its session', async () => {
    const { server, former, current } = serverOf({}, http2.createServer())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const session = await openSession({ port: (server.address() as AddressInfo).port })
    const { status, stream } = await sendConnect(session, '/')
    webSocketOn(stream)
    expect([status, current().connections.size, former.connections.size]).toEqual([200, 1, 0])
    const finished = once(server, 'close')
    server.close()
    expect(await current().drain()).toEqual({ closed: 1, terminated: 0 })
    await finished
  })

  test('does nothing for an ordinary request, and for a response that has started', async () => {
    const server = http.createServer()
    const attachment = attach(server)
    const statuses: number[] = []
    server.on('request', (req, res) => {
      res.writeHead(404).end()
      adopt(req, attachment)
      statuses.push(res.statusCode)
    })
    const { target } = await start(server, attachment)
    await sendRaw(target, handshake('/'))
    await sendRaw(target, 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
    expect([statuses, attachment.stats().pending]).toEqual([[404, 404], 0])
  })
})
