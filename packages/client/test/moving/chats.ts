import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectTopics } from '@oneport/client'
import { attach, serveTopics } from '@oneport/core'
import { createTopics } from '@oneport/topics'
import { Server } from 'socket.io'
import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client'
import { WebSocket } from 'ws'

// The same chat twice: with Socket.IO, and with topics.

/** A server of a chat with two rooms, until the test ends. */
export interface Host {
  readonly port: number
  /** What clients have said, and the server has taken. */
  readonly log: unknown[]
  /** What each client that came sent as its token. */
  readonly tokens: unknown[]
  /** Whether clients are refused, because they have to log in. */
  isRefusing: boolean
  /** Says something itself. */
  say(text: string): void
}

/** How a client differs from its defaults. */
export interface Settings {
  readonly minDelayMs?: number
  readonly maxDelayMs?: number
  readonly maxRetries?: number
  readonly timeoutMs?: number
  readonly token?: () => Promise<string>
  /** Whether it may go over plain HTTP. */
  readonly mayUseHttp?: boolean
}

/** A client in the lobby. */
export interface Client {
  /** What it heard, and `open`, `lost`, `missing` and `over` with the reason. */
  readonly log: unknown[]
  /** Says something. The promise is settled when the server has taken it. */
  say(data: unknown): Promise<unknown>
  /** Enters another room, over the same connection. @returns what leaves it */
  enter(room: string): () => void
  close(): void
  /** Connects again after `close()`, if it can. */
  reopen?(): void
}

/** What the two have in common. */
export interface Library {
  host(): Promise<Host>
  open(port: number, settings?: Settings): Client
}

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Writes down what happens, and wakes those that wait for it. */
class Log extends EventEmitter {
  readonly entries: unknown[] = []

  readonly add = (entry: unknown): void => {
    this.entries.push(entry)
    this.emit('entry')
  }
}

const logs = new WeakMap<object, Log>()

const hostWith = (log: Log, say: Host['say']): Host => {
  const host = { port: 0, log: log.entries, tokens: [], isRefusing: false, say }
  logs.set(host, log)
  return host
}

const clientWith = (log: Log, others: Omit<Client, 'log'>): Client => {
  const client = { log: log.entries, ...others }
  logs.set(client, log)
  ends.push(() => client.close())
  return client
}

/** Waits until a client or a host has logged something so many times. */
export const logged = (by: Client | Host, entry: unknown, times = 1): Promise<void> =>
  loggedLike(by, (each) => each === entry, times)

/** The same for something that has a property. */
export async function loggedLike(by: Client | Host, isIt: (entry: unknown) => boolean, times = 1): Promise<void> {
  while (by.log.filter(isIt).length < times) await once(logs.get(by) as Log, 'entry')
}

async function listen(server: ReturnType<typeof createServer>, host: Host, close: () => unknown): Promise<Host> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  ends.push(async () => {
    await close()
    server.closeAllConnections()
    if (server.listening) await once(server.close(), 'close')
  })
  return Object.assign(host, { port: (server.address() as AddressInfo).port })
}

export const socketIo: Library = {
  async host() {
    const server = createServer()
    const sockets = new Server(server, { connectionStateRecovery: {} })
    const said = new Log()
    const host = hostWith(said, (text) => void sockets.emit('said', text))
    sockets.use((_socket, next) => {
      next(host.isRefusing ? new Error('Log in first.') : undefined)
    })
    for (const room of ['/', '/kitchen']) {
      sockets.of(room).on('connection', (socket) => {
        host.tokens.push(socket.handshake.auth.token)
        socket.on('say', (data, answer) => {
          said.add(data)
          sockets.of(room).emit('said', data)
          answer()
        })
      })
    }
    return listen(server, host, () => sockets.close())
  },

  open(port, { minDelayMs = 1, maxDelayMs = 10, maxRetries, timeoutMs, token, mayUseHttp = false } = {}) {
    const log = new Log()
    const options: Partial<ManagerOptions & SocketOptions> = {
      forceNew: true,
      transports: mayUseHttp ? ['websocket', 'polling'] : ['websocket'],
      tryAllTransports: mayUseHttp,
      reconnectionDelay: minDelayMs,
      reconnectionDelayMax: maxDelayMs,
      retries: 10,
      ackTimeout: 1_000,
      ...(maxRetries === undefined ? {} : { reconnectionAttempts: maxRetries, reconnection: maxRetries > 0 }),
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
      ...(token === undefined
        ? {}
        : { auth: (send: (data: object) => void) => void token().then((value) => send({ token: value })) })
    }
    const socket = io(`http://127.0.0.1:${port}`, options)
    let hasBeenOpen = false
    socket.on('connect', () => {
      log.add('open')
      if (hasBeenOpen && !socket.recovered) log.add('missing')
      hasBeenOpen = true
    })
    socket.on('disconnect', () => log.add('lost'))
    socket.on('connect_error', ({ message }) => {
      if (!socket.active || maxRetries === 0) log.add(`over: ${message}`)
    })
    socket.io.on('reconnect_failed', () => log.add('over'))
    socket.on('said', log.add)
    return clientWith(log, {
      say: (data) => socket.emitWithAck('say', data),
      enter(room) {
        const other = socket.io.socket(`/${room}`)
        other.on('connect', () => log.add(`in ${room}`)).on('said', log.add)
        return () => void other.disconnect()
      },
      close: () => void socket.disconnect(),
      reopen: () => void socket.connect()
    })
  }
}

export const ours: Library = {
  async host() {
    const topics = createTopics({ history: {} })
    const said = new Log()
    const host = hostWith(said, (text) => void topics.publish('lobby', text))
    const server = createServer((req, res) => {
      host.tokens.push(req.headers.authorization?.replace('Bearer ', ''))
      if (host.isRefusing) return res.writeHead(401).end()
      return serveTopics(req, res, topics, { mayRead: () => true, mayPublish: () => true })
    })
    attach(server, { bearerSubprotocol: 'bearer.' })
    const listening = await listen(server, host, () => topics.close())
    const listener = connectTopics(`ws://127.0.0.1:${host.port}`, { webSocket: WebSocket, transports: ['websocket'] })
    ends.push(() => listener.close())
    await new Promise<void>((resolve) => {
      listener.subscribe('lobby', said.add, { onSubscribed: () => resolve() })
    })
    host.tokens.length = 0
    return listening
  },

  open(port, { timeoutMs, mayUseHttp = false, ...others } = {}) {
    const log = new Log()
    const topics = connectTopics(`http://127.0.0.1:${port}`, {
      webSocket: WebSocket,
      transports: mayUseHttp ? ['websocket', 'stream', 'poll'] : ['websocket'],
      minDelayMs: 1,
      maxDelayMs: 10,
      ...(timeoutMs === undefined ? {} : { connectTimeoutMs: timeoutMs }),
      ...others
    })
    topics.addEventListener('statechange', () => {
      if (topics.state === 'open') log.add('open')
      if (mayUseHttp && topics.transport === 'websocket') log.add('websocket')
      if (topics.state === 'connecting') log.add('lost')
      if (topics.state === 'closed' && topics.error !== undefined) log.add(`over: ${topics.error.message}`)
    })
    topics.subscribe('lobby', log.add, { onGap: () => log.add('missing') })
    return clientWith(log, {
      say: (data) => topics.publish('lobby', data as string),
      enter: (room) => topics.subscribe(room, log.add, { onSubscribed: () => log.add(`in ${room}`) }),
      close: () => topics.close()
    })
  }
}
