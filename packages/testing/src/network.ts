import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Connection, connectionOf } from './connection.ts'
import { fetchThrough } from './fetch.ts'
import { type Direction, type Hold, holdsOf, Link } from './link.ts'
import { failure, MemorySocket } from './memory.ts'
import { type ConnectOptions, checkOptions, type ResolvedOptions, type Rules, resolveOptions } from './options.ts'
import { relay } from './relay.ts'
import { connectInMemory } from './server.ts'
import { reach, type Target, urlOf, type Way } from './target.ts'
import { overdue, within } from './wait.ts'
import { type GlobalWebSocketClass, type WebSocketClass, webSocketClass } from './websocket-class.ts'

/** Options of `network.refuse()`. */
export interface RefuseOptions {
  /**
   * Status of the response, from 200 to 599. By default there is no response: the client gets `ECONNREFUSED`, as if
   * nobody listened.
   * @default none
   */
  status?: number | undefined
  /**
   * Number of handshakes to refuse.
   * @default Infinity
   */
  times?: number | undefined
}

const refuseRules: Rules<RefuseOptions> = {
  status: [
    'a number from 200 to 599',
    (value) => Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599
  ],
  times: [
    'a number above 0, or Infinity',
    (value) => value === Infinity || (Number.isInteger(value) && (value as number) > 0)
  ]
}

/** The way of one handshake, and its options. */
export interface Passage {
  readonly way: Way
  readonly options: ResolvedOptions
}

/** Creates a network: a private constructor keeps its parameters out of the public types. */
let networkBefore: (way: Way, options: ResolvedOptions) => Network

/** Lets `connect()` use a network, without a public method for it. */
export let passThrough: (network: Network, call: string, path: string | undefined, options: ConnectOptions) => Passage

/**
 * A network between an application and its clients, which a test can break. Its methods apply to all connections, open
 * and future ones; those of a `Connection` apply to one.
 */
export class Network extends Link {
  static {
    networkBefore = (way, options) => new Network(way, options)
    passThrough = (network, ...args) => network.#passThrough(...args)
  }

  /**
   * A class of WebSockets that connect through this network, for client libraries: pass it to them, or set it as
   * `globalThis.WebSocket`.
   */
  readonly WebSocket: GlobalWebSocketClass & WebSocketClass
  /**
   * Sends a request through this network, over HTTP/1.1, for client libraries that fall back to HTTP. Redirects are not
   * followed. `refuse()` with a status does not apply to it.
   */
  readonly fetch: typeof fetch
  readonly #way: Way
  readonly #options: ResolvedOptions
  /** The connections, each with its client's end. */
  readonly #clients: Map<Connection, MemorySocket>
  readonly #future: Record<Direction, Hold>
  #refusals: { readonly status?: number | undefined; times: number } = { times: 0 }
  #unread: Connection[] = []
  #waiting: ((connection: Connection) => void)[] = []
  readonly #handshakes = { begun: 0, accepted: 0, refused: 0 }

  /** Only `createNetwork()` creates it. */
  private constructor(way: Way, options: ResolvedOptions) {
    const clients = new Map<Connection, MemorySocket>()
    const future = { toServer: { isFrozen: false, delayMs: 0 }, toClient: { isFrozen: false, delayMs: 0 } }
    super((direction) => [
      future[direction],
      ...[...clients.keys()].flatMap((connection) => holdsOf(connection, direction))
    ])
    this.#clients = clients
    this.#future = future
    this.#way = way
    this.#options = options
    this.WebSocket = webSocketClass(way.url.href, options, (path, asked) =>
      this.#wayTo('WebSocket', path, options, { asked })
    )
    const base = way.url.href.replace('ws', 'http')
    this.fetch = fetchThrough(base, options, (path, asked) =>
      this.#wayTo('fetch', path, { ...options, http2: false }, { asked, isHandshake: false })
    )
  }

  /** The connections in the order in which they began. One that only one end has left is among them. */
  get connections(): Connection[] {
    return [...this.#clients.keys()]
  }

  /**
   * Returns the next connection whose handshake is accepted, or waits for it. Those that were accepted before the call
   * are returned first, unless their client has left.
   * @throws Error that says what happened instead, if there is none in time
   */
  async next(): Promise<Connection> {
    const unread = this.#unread.shift()
    if (unread !== undefined) return unread
    let give = (_connection: Connection): void => {}
    const arrival = new Promise<Connection>((resolve) => {
      give = resolve
    })
    this.#waiting.push(give)
    const { timeoutMs } = this.#options
    const connection = await within(timeoutMs, arrival)
    if (connection !== overdue) return connection
    this.#waiting = this.#waiting.filter((other) => other !== give)
    throw new Error(`next: got no connection within ${timeoutMs} ms. ${this.#history()}`)
  }

  /**
   * Cuts all connections: each end gets a reset (`ECONNRESET`) without a close frame, which is close code 1006. What is
   * under way is lost. Clients can connect again.
   */
  cut(): void {
    for (const connection of this.connections) connection.cut()
  }

  /**
   * Refuses handshakes from now on, before the application sees them. Open connections stay. Without a status, it
   * refuses what `fetch` sends too.
   * @throws TypeError for an invalid option
   */
  refuse(options: RefuseOptions = {}): void {
    this.#refusals = { times: Infinity, ...checkOptions(options, 'refuse', refuseRules) }
  }

  /** Ends `refuse()`. */
  accept(): void {
    this.#refusals = { times: 0 }
  }

  /** Cuts all connections, refuses new ones, and closes the port that the option `port` has opened. */
  close(): void {
    this.refuse()
    this.cut()
    this.#way.release()
  }

  /** For `using network = …`: calls `close()`. */
  [Symbol.dispose](): void {
    this.close()
  }

  #passThrough(call: string, path: string | undefined, given: ConnectOptions): Passage {
    const options = resolveOptions(given, call, this.#options)
    if (options.port !== this.#options.port) {
      throw new TypeError(`${call}: port: expected the one of createNetwork(); got ${options.port}`)
    }
    return { way: this.#wayTo(call, path, options), options }
  }

  /**
   * @param asked the URL that the client has asked for; by default that of the way
   * @param isHandshake whether it is an opening handshake, and not another request
   */
  #wayTo(
    call: string,
    path: string | undefined,
    { http2 }: ResolvedOptions,
    { asked, isHandshake = true }: { asked?: string; isHandshake?: boolean } = {}
  ): Way {
    const { url: base } = this.#way
    const url = path === undefined ? base : urlOf(call, `${base.protocol}//${base.host}`, path)
    let connection: Connection | undefined
    const begin = (client: MemorySocket): MemorySocket => {
      connection = this.#begin(asked ?? url.href, client)
      return client
    }
    return {
      ...this.#way,
      url,
      http2: http2 ?? this.#way.http2,
      connect: () => begin(inMemory(this.#way.connect())),
      refusal: () => {
        const { status, times } = this.#refusals
        const isRefused = times > 0 && (isHandshake || status === undefined)
        if (isHandshake) this.#handshakes.begun += 1
        if (isHandshake && isRefused) this.#handshakes.refused += 1
        return isRefused ? this.#refuse(begin) : undefined
      },
      opened: () => {
        if (connection !== undefined) this.#arrive(connection)
      },
      release: () => {}
    }
  }

  #begin(url: string, client: MemorySocket): Connection {
    const connection = connectionOf(url, client)
    this.#clients.set(connection, client)
    for (const direction of ['toServer', 'toClient'] as const) {
      for (const hold of holdsOf(connection, direction)) Object.assign(hold, this.#future[direction])
    }
    client.once('close', () => {
      this.#unread = this.#unread.filter((other) => other !== connection)
    })
    const ends = [client, client.peer]
    for (const end of ends) {
      end.once('close', () => {
        if (ends.every(({ closed }) => closed)) this.#clients.delete(connection)
      })
    }
    return connection
  }

  #refuse(begin: (client: MemorySocket) => MemorySocket): MemorySocket {
    this.#refusals.times -= 1
    const { status } = this.#refusals
    if (status !== undefined) return begin(connectInMemory(createServer((_req, res) => res.writeHead(status).end())))
    const { client, server } = MemorySocket.pair()
    begin(client)
    server.fail(failure('connect', 'ECONNREFUSED'))
    return client
  }

  #arrive(connection: Connection): void {
    this.#handshakes.accepted += 1
    const give = this.#waiting.shift()
    if (give === undefined) this.#unread.push(connection)
    else give(connection)
  }

  #history(): string {
    const { begun, accepted, refused } = this.#handshakes
    if (begun === 0) return 'No handshake was begun.'
    return `${begun} ${begun === 1 ? 'handshake' : 'handshakes'} so far: ${accepted} accepted, ${refused} refused by the network.`
  }
}

/** Only a connection in memory can be broken. */
const inMemory = (raw: Duplex): MemorySocket => (raw instanceof MemorySocket ? raw : relay(raw as Socket))

/**
 * Puts a network between an application and its clients, which a test can break: cut, freeze, delay, refuse. Pass it to
 * `connect()` in place of the application, or its `WebSocket` to a client library.
 *
 * @param target an application, a server or a URL, like that of `connect()`
 * @param options options of all connections; those of `connect()` override them
 * @throws TypeError for an invalid target or option
 * @throws Error if the application is not ready in time
 */
export async function createNetwork(target: Target, options: ConnectOptions = {}): Promise<Network> {
  const resolved = resolveOptions(options, 'createNetwork')
  return networkBefore(await reach('createNetwork', target, undefined, resolved), resolved)
}
