import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectClient, handshake, headArrived } from '@oneport/test-kit'
import { type WebSocket, WebSocketServer } from 'ws'
import { type AcceptOptions, type AttachOptions, acceptWebSocket, renew } from '../../src/index.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

/** All names of an object, its own and inherited ones. */
function namesOf(object: object): (string | symbol)[] {
  const names = new Set<string | symbol>()
  for (let one: object | null = object; one !== null; one = Object.getPrototypeOf(one)) {
    for (const name of Reflect.ownKeys(one)) names.add(name)
  }
  return [...names]
}

/** Compares symbols by description, because each copy of `ws` has its own. */
const shown = (names: (string | symbol)[]): string[] => names.map(String).sort()

const message = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61])

const states: [name: string, bring: (socket: WebSocket) => unknown][] = [
  ['open', () => {}],
  ['that has sent and received', (socket) => socket.on('message', () => socket.send('a'))],
  ['closing', (socket) => socket.close(4000, 'bye')],
  ['closed', (socket) => socket.terminate()],
  ['paused', (socket) => socket.pause()]
]

/** The names of a `ws` server's socket in one state. */
async function bareNames(bring: (socket: WebSocket) => unknown): Promise<(string | symbol)[]> {
  const server = createServer()
  // As our servers: pings are answered by core.
  const wss = new WebSocketServer({ server, autoPong: false })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const connected = once(wss, 'connection')
  const client = await connectClient({ port: (server.address() as AddressInfo).port }, '/')
  const [socket] = (await connected) as [WebSocket]
  bring(socket)
  client.socket.send('a')
  await new Promise(setImmediate)
  const names = namesOf(socket)
  client.socket.terminate()
  server.close()
  return names
}

describe('an accepted socket', () => {
  test.each(states)('%s has the names of a socket of ws, and no others', async (_name, bring) => {
    let accepted: WebSocket | undefined
    const { target } = await serve((req, res) =>
      acceptWebSocket(req, res, (socket) => {
        accepted = socket
        bring(socket)
      })
    )
    const { socket: client } = await connectClient(target, '/')
    client.send('a')
    await new Promise(setImmediate)
    expect(shown(namesOf(accepted as WebSocket))).toEqual(
      shown([...new Set([...(await bareNames(bring)), Symbol.for('nodejs.rejection')])])
    )
  })

  test('with messages that wait for a listener has no other names either', async () => {
    let accepted: WebSocket | undefined
    const { target } = await serve((req, res) =>
      acceptWebSocket(req, res, (socket) => {
        accepted = socket
        return new Promise(() => {})
      })
    )
    const raw = await open(target)
    raw.write(handshake('/'))
    await read(raw, headArrived)
    raw.write(Buffer.concat([message, message, Buffer.from([0x89, 0x80, 0, 0, 0, 0])]))
    await read(raw, (text) => text.includes('\x8a'))
    expect(shown(namesOf(accepted as WebSocket))).toEqual(
      shown([...new Set([...(await bareNames(() => {})), Symbol.for('nodejs.rejection')])])
    )
  })
})

/**
 * Names that sockets used to have besides those of `ws`, names of today's connection record, and methods that the
 * application may replace.
 */
const formerNames = [
  ...['place', 'credential', 'slotOfBeat', 'placeInSlot', 'bytesAtLook', 'restsAtLook', 'begin', 'read', 'bytesRead'],
  ...['request', 'summarize', 'expire', 'expel', 'expireCredential', 'renewUntil', 'follow', 'fail', 'releaseMessages'],
  ...['connection', 'home', 'context', 'isReading', 'windowFrom', 'spent', 'shield', 'passes', 'finish']
]
const methods = ['ping', 'pong', 'close', 'terminate', 'send', 'emit', 'on', 'off', 'listenerCount', 'pause', 'resume']
const fail = () => {
  throw new Error('of the application')
}
const junk: [shown: string, value: unknown][] = [
  ['null', null],
  ['a function that throws', fail],
  ['a number', Date.now() + 3_600_000]
]

/** Everything that ends a connection from outside. */
const ends: [name: string, options: AttachOptions, accept: AcceptOptions, end: (context: EndContext) => unknown][] = [
  ['drain', {}, {}, ({ attachment }) => attachment.drain({ deadlineMs: 30 })],
  ['revoke', {}, { key: 'a' }, ({ attachment }) => attachment.revoke('a')],
  ['an expiry', {}, { key: 'a' }, ({ socket }) => renew(socket, Date.now())],
  ['the heartbeat', { heartbeat: { intervalMs: 20, timeoutMs: 20 } }, {}, () => {}],
  ['a reset', {}, {}, ({ reset }) => reset()],
  ['a wrong frame', {}, {}, ({ send }) => send(Buffer.from([0x81, 0x01, 0x61]))],
  ['the client', {}, {}, ({ send }) => send(Buffer.from([0x88, 0x80, 0, 0, 0, 0]))],
  [
    'messages and pings',
    {},
    {},
    ({ send, reset }) => {
      send(Buffer.concat([message, Buffer.from([0x89, 0x80, 0, 0, 0, 0]), Buffer.from([0x8a, 0x80, 0, 0, 0, 0])]))
      setImmediate(reset)
    }
  ]
]
interface EndContext {
  readonly attachment: Awaited<ReturnType<typeof serve>>['attachment']
  readonly socket: WebSocket
  send(bytes: Buffer): void
  reset(): void
}

describe.each([...formerNames, ...methods])(
  'regression: socket.%s set by the application ended the process',
  (name) => {
    test.each(junk)('and no longer does if it is %s', async (_shown, value) => {
      for (const [, options, accept, end] of ends) {
        let socket: WebSocket | undefined
        const { target, attachment } = await serve(
          (req, res) =>
            acceptWebSocket(req, res, accept, (accepted) => {
              socket = accepted
              accepted.on('message', () => {})
              Object.assign(accepted, { [name]: value })
            }),
          { onError: () => {}, closeTimeoutMs: 20, ...options }
        )
        const raw = await open(target)
        raw.write(handshake('/'))
        await read(raw, headArrived)
        const ended = once(raw, 'close')
        raw.on('end', () => raw.end()).resume()
        end({
          attachment,
          socket: socket as WebSocket,
          send: (bytes) => raw.write(bytes),
          reset: () => raw.resetAndDestroy()
        })
        await ended
        while (attachment.stats().open > 0) await new Promise(setImmediate)
        await stopAll()
      }
    })
  }
)
