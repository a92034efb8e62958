import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type ClientOptions, WebSocket } from 'ws'
import { Client } from './client.ts'
import { keepCookies } from './cookies.ts'
import { openTransport, settingsFor } from './handshake.ts'
import type { Head } from './head.ts'
import { Http2Connection } from './http2.ts'
import type { ResolvedOptions } from './options.ts'
import { show } from './show.ts'
import type { Way } from './target.ts'

/** Maximum length of a response body, in characters, because a response may be endless. */
const longestBody = 16_777_216

/** The result of a handshake: a client, a response other than 101, or an error. */
export type Outcome = Client | { readonly head: Head; readonly body: string } | { readonly fault: Error }

/** An opening handshake in progress. */
export class Attempt {
  readonly outcome: Promise<Outcome>
  readonly #way: Way
  readonly #options: ResolvedOptions
  readonly #socket: WebSocket
  readonly #closed: Promise<void>
  #connection: Duplex | undefined
  #head: Head | undefined
  #body = ''

  /** @throws SyntaxError for invalid subprotocols */
  constructor(way: Way, options: ResolvedOptions) {
    this.#way = way
    this.#options = options
    const settings = {
      ...settingsFor(way.url, way, options),
      createConnection: (() => this.#connect()) as unknown as NonNullable<ClientOptions['createConnection']>
    }
    try {
      this.#socket = new WebSocket(way.url, options.subprotocols, settings)
    } catch (error) {
      way.release()
      throw error
    }
    this.#closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        way.release()
        resolve()
      })
    })
    this.outcome = new Promise((resolve) => {
      // This listener must stay: `ws` emits an error when a handshake is aborted.
      this.#socket.on('error', (fault) => resolve({ fault }))
      this.#socket.once('upgrade', (response: IncomingMessage) => {
        const client = new Client(this.#socket, this.#learn(response), options.timeoutMs)
        this.#socket.once('open', () => {
          way.opened?.()
          resolve(client)
        })
      })
      this.#socket.once('unexpected-response', (_request, response: IncomingMessage) => {
        const head = this.#learn(response)
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          this.#body += text
          if (this.#body.length <= longestBody) return
          const length = this.#body.length
          resolve({
            fault: new Error(`the response body is too long: got ${length} characters. ${this.history()}`)
          })
          response.destroy()
        })
        response.once('error', () => resolve({ fault: new Error(`the response was cut off. ${this.history()}`) }))
        response.once('end', () => resolve({ head, body: this.#body }))
      })
    })
  }

  /** Aborts the handshake. Resolves when its connection is closed. */
  async abandon(): Promise<void> {
    this.#socket.terminate()
    this.#connection?.destroy()
    await this.#closed
  }

  /** Describes what was received, for error messages. */
  history(): string {
    if (this.#head === undefined) return 'Nothing was received.'
    const body = this.#body === '' ? 'no body' : `a body that starts with ${show(this.#body)}`
    return `Received status ${this.#head.status} and ${body}.`
  }

  #connect(): Duplex {
    this.#connection = openTransport(this.#way, this.#options)
    return this.#connection
  }

  #learn({ statusCode = 0, headers, httpVersion }: IncomingMessage): Head {
    const overHttp2 = this.#connection instanceof Http2Connection ? this.#connection.answer : undefined
    this.#head = overHttp2 ?? { status: statusCode, headers, httpVersion }
    keepCookies(this.#options.agent?.jar, this.#way.url, this.#head.headers)
    return this.#head
  }
}
