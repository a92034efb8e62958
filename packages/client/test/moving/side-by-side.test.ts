import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ReconnectingWebSocket } from '@oneport/client'
import PartySocket from 'partysocket/ws'
import Predecessor from 'reconnecting-websocket'
import { WebSocket } from 'ws'
import { openSite } from '../site.ts'

// What reconnecting-websocket, partysocket and our socket do, as docs/moving-from-reconnecting-websocket.md says.

/** What all three have. */
interface Socket {
  readonly readyState: number
  readonly bufferedAmount: number
  send(data: string | Uint8Array): unknown
  close(code?: number): void
  reconnect(): void
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void
}

interface Settings {
  readonly delayMs?: number
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly startClosed?: boolean
  readonly queue?: boolean
}

type Open = (url: string | (() => Promise<string>), settings?: Settings) => Socket

/** The other two leave a socket that they give up without a listener for its error, which ends a process. */
class QuietWebSocket extends WebSocket {
  constructor(...args: ConstructorParameters<typeof WebSocket>) {
    super(...args)
    this.on('error', () => {})
  }
}

const earlier =
  (Class: typeof Predecessor | typeof PartySocket): Open =>
  (url, { delayMs = 1, timeoutMs = 4_000, ...others } = {}) =>
    new (Class as typeof Predecessor)(url, [], {
      WebSocket: QuietWebSocket,
      minReconnectionDelay: delayMs,
      maxReconnectionDelay: delayMs,
      connectionTimeout: timeoutMs,
      ...others
    })

const ours: Open = (url, { delayMs = 1, timeoutMs = 10_000, queue = false, ...others } = {}) =>
  new ReconnectingWebSocket(url, [], {
    webSocket: WebSocket,
    minDelayMs: delayMs,
    maxDelayMs: delayMs,
    spreadMs: 1,
    connectTimeoutMs: timeoutMs,
    ...(queue ? { queue: {} } : {}),
    ...others
  })

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

/** Whether there is a second connection after the server has ended the first one. */
async function comesBack(open: Open, end: (socket: WebSocket) => void): Promise<boolean> {
  const site = await openSite()
  const socket = open(site.url)
  sockets.push(socket)
  const connection = await site.connection()
  const lost = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()))
  end(connection as unknown as WebSocket)
  await lost
  return isOver(socket) ? false : site.connection().then(() => true)
}

/** Of the others, `readyState` is that of the last connection. */
const isOver = (socket: Socket): boolean => socket instanceof ReconnectingWebSocket && socket.readyState === 3

const opened = (socket: Socket): Promise<void> => {
  sockets.push(socket)
  return new Promise((resolve) => socket.addEventListener('open', () => resolve()))
}

/** The rows of the page's table, in its order. */
const features: Record<string, (open: Open) => Promise<boolean>> = {
  'comes back after close code 1011': (open) => comesBack(open, (socket) => socket.close(1011)),
  'comes back after a lost connection': (open) => comesBack(open, (socket) => socket.terminate()),
  'comes back after close code 1000': (open) => comesBack(open, (socket) => socket.close(1000)),
  'comes back after close code 4403': (open) => comesBack(open, (socket) => socket.close(4403)),

  async 'goes on after a handshake that is refused with 403'(open) {
    const site = await openSite()
    site.answer = (_req, res) => res.writeHead(403).end()
    const socket = open(site.url)
    sockets.push(socket)
    while (site.handshakes.length < 3 && !isOver(socket)) await new Promise(setImmediate)
    return site.handshakes.length >= 3
  },

  async 'takes an asynchronous function for the address'(open) {
    const site = await openSite()
    await opened(open(async () => site.url))
    return true
  },

  async 'gives up a handshake that is not answered'(open) {
    const site = await openSite()
    site.answer = () => {}
    const socket = open(site.url, { timeoutMs: 20 })
    sockets.push(socket)
    await new Promise<void>((resolve) => socket.addEventListener('error', () => resolve()))
    return true
  },

  async 'keeps what is sent early, by default'(open) {
    const site = await openSite()
    const socket = open(site.url)
    try {
      socket.send('early')
    } catch {
      await opened(socket)
      return false
    }
    const connection = await site.connection()
    sockets.push(socket)
    return new Promise((resolve) => connection.once('message', (data) => resolve(String(data) === 'early')))
  },

  async 'sends what a buffer had when send() was called'(open) {
    const site = await openSite()
    const socket = open(site.url, { queue: true })
    sockets.push(socket)
    const buffer = new Uint8Array([65, 66])
    socket.send(buffer)
    buffer.fill(90)
    const connection = await site.connection()
    return new Promise((resolve) => connection.once('message', (data) => resolve(String(data) === 'AB')))
  },

  async 'comes back with reconnect() after close()'(open) {
    const site = await openSite()
    const socket = open(site.url)
    await opened(socket)
    const connection = site.connection()
    const closed = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()))
    socket.close()
    await closed
    socket.reconnect()
    await connection
    return true
  },

  async 'dispatches `close` for an attempt that fails'(open) {
    const site = await openSite()
    await site.stop()
    const socket = open(site.url)
    sockets.push(socket)
    let count = 0
    socket.addEventListener('close', () => count++)
    let errors = 0
    await new Promise<void>((resolve) => socket.addEventListener('error', () => ++errors === 3 && resolve()))
    return count > 0
  },

  async 'ends with an AbortSignal'(open) {
    const site = await openSite()
    const controller = new AbortController()
    const socket = open(site.url, { signal: controller.signal })
    await opened(socket)
    controller.abort()
    return socket.readyState === 2
  },

  async 'can begin closed (`startClosed`)'(open) {
    const site = await openSite()
    const socket = open(site.url, { startClosed: true })
    sockets.push(socket)
    return socket.readyState === 3
  }
}

const page = readFileSync(join(__dirname, '../../../../docs/moving-from-reconnecting-websocket.md'), 'utf8')
const rows = [...page.matchAll(/^\| (.+?) \| (yes|no) \| (yes|no) \| (yes|no)[^|]* \|$/gm)].map(([, ...cells]) => cells)

test('the page has a row for each feature', () => {
  expect(rows.map(([name]) => name)).toEqual(Object.keys(features))
})

describe.each([
  ['reconnecting-websocket', earlier(Predecessor), 1],
  ['partysocket', earlier(PartySocket), 2],
  ['@oneport/client', ours, 3]
])('%s', (_name, open, column) => {
  test.each(Object.keys(features))('%s, or not, as the page says', async (name) => {
    const row = rows.find(([each]) => each === name)
    expect((await features[name]?.(open)) ? 'yes' : 'no').toBe(row?.[column])
  })
})
