import type { IncomingMessage } from 'node:http'
import type { Http2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { goingAway, unauthorized } from '../close-code.ts'
import type { Context } from '../context.ts'
import { EventStream } from './event-stream.ts'
import type { Inbox } from './inbox.ts'
import { type HttpKind, HttpReports, type Visit } from './reports.ts'

/** How often to look whether a server is closing, in milliseconds, and how many looks there are between two comments. */
const lookMs = 1_000
const beatEvery = 25

/** The part of a server that says whether it accepts connections. */
interface Listening {
  readonly listening: boolean
}

/** What stands for the socket of a client. */
export type HttpClient = EventStream | Inbox

/** What a request does not say about its client. */
export interface RespondClient {
  /**
   * Names the address of the client in counts.
   * @default the address of the TCP peer
   */
  readonly address?: string | undefined
  /**
   * Aborted when the client must go, before or while it waits. `reason` is the status of its response: 401 if its login
   * has ended, 429 if its address has too many connections, 503 if the server has, or shuts down.
   * @default none
   */
  readonly signal?: AbortSignal | undefined
}

interface HttpLimits {
  readonly maxHttpClients: number
  readonly maxHttpClientsPerAddress: number
  readonly maxBodyBytes: number
}

interface Waiting {
  /** Undefined if it was handed the connection, so that it never listens. */
  readonly server: Listening | undefined
  readonly visit: Visit
}

/** What carries a request and its response: a connection, or a stream of HTTP/2. */
type Channel = Socket | Http2Stream
export const channelOf = (req: IncomingMessage): Channel => (req as { stream?: Http2Stream }).stream ?? req.socket

/** All clients that wait for a response, with streams and polls. */
export class Http {
  readonly maxBodyBytes: number
  readonly reports: HttpReports = new HttpReports()
  readonly #limits: HttpLimits
  readonly #byAddress = new Map<string, number>()
  readonly #context: Context
  readonly #clients = new Map<HttpClient, Waiting>()
  /** The clients of each connection. There are several if their requests are pipelined. */
  readonly #channels = new Map<Channel, Set<HttpClient>>()
  readonly #onClose: (this: Channel) => void
  #looks = 0
  #timer: NodeJS.Timeout | undefined

  constructor(limits: HttpLimits, context: Context) {
    this.#limits = limits
    this.maxBodyBytes = limits.maxBodyBytes
    this.#context = context
    const lose = (client: HttpClient): void => this.#lose(client)
    const clientsOf = (channel: Channel): HttpClient[] => [...(this.#channels.get(channel) ?? [])]
    this.#onClose = function () {
      for (const client of clientsOf(this)) lose(client)
    }
  }

  get count(): number {
    return this.#clients.size
  }

  /** The status with which to refuse a client; undefined if there is room for it. */
  refusalOf(req: IncomingMessage, { address, signal }: RespondClient): number | undefined {
    if (signal?.aborted) return signal.reason === 401 || signal.reason === 429 ? signal.reason : 503
    const { maxHttpClients, maxHttpClientsPerAddress } = this.#limits
    if (this.#clients.size >= maxHttpClients) return 503
    const key = address ?? req.socket.remoteAddress
    return key !== undefined && this.#countOf(key) >= maxHttpClientsPerAddress ? 429 : undefined
  }

  /** Adds a client until it is closed. It is terminated when its connection, or its stream of HTTP/2, closes. */
  add(client: HttpClient, kind: HttpKind, req: IncomingMessage, { address, signal }: RespondClient): void {
    const channel = channelOf(req)
    const { server } = req.socket as { server?: Listening }
    const visit = this.reports.accepted(kind, req)
    const key = address ?? req.socket.remoteAddress
    if (key !== undefined) this.#byAddress.set(key, this.#countOf(key) + 1)
    const expel = (): void => client.close(signal?.reason === 401 ? unauthorized : goingAway)
    signal?.addEventListener('abort', expel)
    this.#clients.set(client, { server: server?.listening ? server : undefined, visit })
    client.once('close', () => {
      this.#detach(client, channel)
      signal?.removeEventListener('abort', expel)
      if (key !== undefined) this.#giveBack(key)
      this.#remove(client)
      this.reports.closed(visit, client.code)
    })
    this.#timer ??= this.#context.runInAsyncScope(() => setInterval(() => this.#look(), lookMs).unref())
    this.#attach(client, channel)
  }

  /** One listener for all requests of a connection: however many there are, Node warns of none. */
  #attach(client: HttpClient, channel: Channel): void {
    const known = this.#channels.get(channel)
    if (channel.destroyed) {
      // The client has left before the application has called.
      this.#lose(client)
    } else if (known === undefined) {
      this.#channels.set(channel, new Set([client]))
      channel.once('close', this.#onClose)
    } else {
      known.add(client)
    }
  }

  #detach(client: HttpClient, channel: Channel): void {
    const clients = this.#channels.get(channel)
    if (!clients?.delete(client) || clients.size > 0) return
    this.#channels.delete(channel)
    channel.off('close', this.#onClose)
  }

  #lose(client: HttpClient): void {
    const waiting = this.#clients.get(client)
    if (waiting !== undefined) waiting.visit.isLost = true
    client.terminate()
  }

  #countOf(address: string): number {
    return this.#byAddress.get(address) ?? 0
  }

  #giveBack(address: string): void {
    const count = this.#countOf(address) - 1
    if (count > 0) this.#byAddress.set(address, count)
    else this.#byAddress.delete(address)
  }

  /** A server that is closing waits for its responses, so they must end. So must streams that nobody reads. */
  #look(): void {
    const isBeat = ++this.#looks % beatEvery === 0
    for (const [client, { server }] of this.#clients) {
      if (server?.listening === false) client.close(goingAway)
      if (!isBeat || !(client instanceof EventStream)) continue
      if (client.isStuck()) this.#lose(client)
      else client.beat()
    }
  }

  #remove(client: HttpClient): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
