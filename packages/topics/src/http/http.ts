import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Http2Stream } from 'node:http2'
import type { Context } from '../context.ts'
import type { TopicSocket } from '../socket.ts'
import { EventStream } from './event-stream.ts'

/** How often to look whether a server is closing, in milliseconds, and how many looks there are between two comments. */
const lookMs = 1_000
const beatEvery = 25

/** The close code 1001, Going Away. RFC 6455 §7.4.1. */
const goingAway = 1001

/** The part of a server that says whether it accepts connections. */
interface Listening {
  readonly listening: boolean
}

/** All clients that wait for a response, with streams and polls. */
export class Http {
  readonly maxBodyBytes: number
  readonly #most: number
  readonly #context: Context
  /** With the server of each. */
  readonly #clients = new Map<TopicSocket, Listening | undefined>()
  #looks = 0
  #timer: NodeJS.Timeout | undefined

  constructor(most: number, maxBodyBytes: number, context: Context) {
    this.#most = most
    this.maxBodyBytes = maxBodyBytes
    this.#context = context
  }

  get count(): number {
    return this.#clients.size
  }

  get isFull(): boolean {
    return this.#clients.size >= this.#most
  }

  /** Adds a client until it is closed. It is terminated when its connection, or its stream of HTTP/2, closes. */
  add(client: TopicSocket, req: IncomingMessage): void {
    const channel: EventEmitter = (req as { stream?: Http2Stream }).stream ?? req.socket
    const terminate = (): void => client.terminate()
    channel.once('close', terminate)
    const { server } = req.socket as { server?: Listening }
    // A server that is handed its connections never listens.
    this.#clients.set(client, server?.listening ? server : undefined)
    client.once('close', () => {
      channel.off('close', terminate)
      this.#remove(client)
    })
    this.#timer ??= this.#context.runInAsyncScope(() => setInterval(() => this.#look(), lookMs).unref())
  }

  /** A server that is closing waits for its responses, so they must end. */
  #look(): void {
    const isBeat = ++this.#looks % beatEvery === 0
    for (const [client, server] of this.#clients) {
      if (server?.listening === false) client.close(goingAway)
      else if (isBeat && client instanceof EventStream) client.beat()
    }
  }

  #remove(client: TopicSocket): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
