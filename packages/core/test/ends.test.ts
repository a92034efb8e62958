import http, { type Server } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'

import { certificate, handshake, headArrived, reset, sendRaw } from '@oneport/test-kit'
import { acceptWebSocket, type Dispatch, type WebSocketHandler } from '../src/index.ts'
import { acceptThrough, open, read, type Served, serve, stopAll } from './server.ts'

afterEach(stopAll)

/** The state of a connection when its client ends it. */
interface Step {
  readonly name: string
  /** What the client sends to get there. */
  readonly bytes: string
  /** The sign that the connection has got there. */
  readonly reached: 'sent' | 'dispatched' | 'answered'
  /** The server's deadline, for clients whose end cannot be noticed otherwise. */
  readonly handshakeTimeoutMs?: number
}

const plain = 'GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const behindRequest = `GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${handshake('/')}`
const early = handshake('/hang') + '\x82\x84\0\0\0\0data'.repeat(20_000)
const halfBody =
  'POST /body HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 9\r\n\r\nhalf'

const steps: Step[] = [
  { name: 'in the head of a handshake', bytes: handshake('/').slice(0, -2), reached: 'sent' },
  { name: 'right after the bytes of a handshake', bytes: handshake('/'), reached: 'sent' },
  { name: 'before the dispatch, behind a request', bytes: behindRequest, reached: 'dispatched' },
  { name: 'in middleware that accepts later', bytes: handshake('/accept'), reached: 'dispatched' },
  {
    name: 'in a handshake at an unknown path, before its 404',
    bytes: handshake('/refuse'),
    reached: 'dispatched'
  },
  { name: 'in middleware that hangs', bytes: handshake('/hang'), reached: 'dispatched', handshakeTimeoutMs: 100 },
  { name: 'in middleware that hangs, after more bytes than are buffered', bytes: early, reached: 'dispatched' },
  { name: 'between acceptance and 101', bytes: handshake('/send'), reached: 'dispatched' },
  { name: 'while no 101 follows', bytes: handshake('/never-send'), reached: 'dispatched', handshakeTimeoutMs: 100 },
  { name: 'in the bytes of a refusal', bytes: handshake('/large'), reached: 'answered', handshakeTimeoutMs: 100 },
  { name: 'between the 101 and the first listener', bytes: handshake('/never-listen'), reached: 'answered' },
  { name: 'on an open connection', bytes: handshake('/'), reached: 'answered' },
  { name: 'in the body of a request for another protocol', bytes: halfBody, reached: 'dispatched' }
]

/** How a client ends it. Silence lasts until a time limit of the server. */
const ends: [name: string, end: (raw: Socket) => unknown][] = [
  ['a reset', reset],
  ['a FIN', (raw) => raw.destroy()],
  ['a half-close', (raw) => Object.assign(raw.resume(), { allowHalfOpen: true }).end()],
  ['silence', (raw) => raw.pause()]
]

const echo: WebSocketHandler = (socket) => socket.on('message', (data) => socket.send(data))
const never = new Promise<never>(() => {})

/** An application that waits at each step until it may continue. */
function makeApplication() {
  let arrive = (): void => {}
  let goOn = (): void => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const permission = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const routes: Record<string, Dispatch> = {
    '/': (req, res) => acceptWebSocket(req, res, echo),
    '/plain': (_req, res) => res.end('plain'),
    '/slow': (_req, res) => permission.then(() => res.end('slow')),
    '/accept': (req, res) => permission.then(() => acceptWebSocket(req, res, echo)),
    '/refuse': (_req, res) => permission.then(() => res.writeHead(404).end('nobody here')),
    '/hang': () => never,
    '/send': (req, res) => {
      const send = () => void permission.then(() => res.writeHead(101).end())
      return acceptThrough(send, req, undefined, echo)
    },
    '/never-send': (req) => acceptThrough(() => {}, req, undefined, echo),
    '/large': (_req, res) => res.writeHead(403).end(Buffer.alloc(16 * 1024 * 1024)),
    '/never-listen': (req, res) => acceptWebSocket(req, res, () => never),
    '/body': (req, res) => req.resume().once('end', () => res.end('whole'))
  }
  const listener: Dispatch = (req, res) => {
    const answer = routes[req.url ?? '']?.(req, res)
    arrive()
    return answer
  }
  return { arrived, goOn, listener }
}

const connectionsOf = (server: Server): Promise<number> =>
  new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))

/** Waits until the server has released all clients. */
async function untilNothingIsLeft({ server, attachment }: Served): Promise<void> {
  const giveUp = performance.now() + 4_000
  for (;;) {
    const connections = await connectionsOf(server)
    const { open, pending } = attachment.stats()
    if (connections + open + pending === 0) return
    if (performance.now() > giveUp) throw new Error(`not released: ${JSON.stringify({ connections, open, pending })}`)
    await new Promise(setImmediate)
  }
}

describe.each([
  ['over TCP', false],
  ['over TLS', true]
])('%s', (_name, tls) => {
  describe.each(steps)('$name', ({ bytes, reached, handshakeTimeoutMs = Infinity }) => {
    test.each(ends)('%s leaves nothing behind, and the next handshake gets its place', async (name, end) => {
      const { arrived, goOn, listener } = makeApplication()
      const isSilent = name === 'silence'
      const options = {
        maxConnections: 1,
        handshakeTimeoutMs,
        // The end has to be noticed without a ping.
        heartbeat: isSilent ? { intervalMs: 50, timeoutMs: 50 } : (false as const)
      }
      const server = tls
        ? https.createServer({ ...(await certificate()), connectionsCheckingInterval: 50 })
        : http.createServer({ connectionsCheckingInterval: 50 })
      const served = await serve(listener, options, server)

      const raw = await open(served.target)
      raw.write(bytes)
      if (reached === 'dispatched') await arrived
      if (reached === 'answered') await read(raw, headArrived)
      await end(raw)
      // Once this is answered, the server has also seen what the client did.
      expect((await sendRaw(served.target, plain)).rest).toBe('plain')
      const { headersTimeout, requestTimeout } = server
      if (isSilent) Object.assign(server, { headersTimeout: 100, requestTimeout: 100 })
      goOn()
      await untilNothingIsLeft(served)

      Object.assign(server, { headersTimeout, requestTimeout })
      expect((await sendRaw(served.target, handshake('/'), headArrived)).status).toBe(101)
      await untilNothingIsLeft(served)
      expect(process.stderr.write).not.toHaveBeenCalled()
    })
  })
})
