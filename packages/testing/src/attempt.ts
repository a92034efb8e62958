import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { type ClientOptions, WebSocket } from 'ws'
import { Client } from './client.ts'
import { fieldsWithCookies, keepCookies } from './cookies.ts'
import type { Head } from './head.ts'
import { Http2Connection } from './http2.ts'
import type { ResolvedOptions } from './options.ts'
import { show } from './show.ts'
import type { Way } from './target.ts'

/** Characters of a body that are read: an answer may have no end. */
const longestBody = 16_777_216

/** What came of a handshake: a client, an answer other than 101, or what broke. */
export type Outcome = Client | { readonly head: Head; readonly body: string } | { readonly fault: Error }

/** One opening handshake, on its way. */
export class Attempt {
  readonly outcome: Promise<Outcome>
  readonly #way: Way
  readonly #options: ResolvedOptions
  readonly #socket: WebSocket
  readonly #closed: Promise<void>
  #connection: Duplex | undefined
  #head: Head | undefined
  #body = ''

  /** @throws SyntaxError for subprotocols that are none */
  constructor(way: Way, options: ResolvedOptions) {
    this.#way = way
    this.#options = options
    const settings = {
      // Node takes a list for a field that comes several times; the types of `ws` do not know it.
      headers: fieldsWithCookies(way.url, options) as Record<string, string>,
      ...originFor(way.url, options),
      perMessageDeflate: options.perMessageDeflate,
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
      // It stays: giving up a handshake is an error to `ws`.
      this.#socket.on('error', (fault) => resolve({ fault }))
      this.#socket.once('upgrade', (response: IncomingMessage) => {
        const client = new Client(this.#socket, this.#learn(response), options.timeoutMs)
        this.#socket.once('open', () => resolve(client))
      })
      this.#socket.once('unexpected-response', (_request, response: IncomingMessage) => {
        const head = this.#learn(response)
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          this.#body += text
          if (this.#body.length <= longestBody) return
          const length = this.#body.length
          resolve({
            fault: new Error(`the body of the answer has no end: ${length} characters came. ${this.history()}`)
          })
          response.destroy()
        })
        response.once('error', () => resolve({ fault: new Error(`the answer broke off. ${this.history()}`) }))
        response.once('end', () => resolve({ head, body: this.#body }))
      })
    })
  }

  /** Lets go of everything. */
  async abandon(): Promise<void> {
    this.#socket.terminate()
    this.#connection?.destroy()
    await this.#closed
  }

  /** What has arrived. */
  history(): string {
    if (this.#head === undefined) return 'Nothing had arrived.'
    const body = this.#body === '' ? 'nothing of its body' : `of its body ${show(this.#body)}`
    return `An answer with status ${this.#head.status} had begun, and ${body}.`
  }

  #connect(): Duplex {
    const { http2, name, url, verifies } = this.#way
    const isSecure = url.protocol === 'wss:'
    const raw = this.#way.connect()
    const stream = isSecure
      ? connectTls({
          socket: raw,
          host: name,
          ...(isIP(name) === 0 && { servername: name }),
          ALPNProtocols: [http2 ? 'h2' : 'http/1.1'],
          rejectUnauthorized: verifies,
          ...this.#options.tls
        })
      : raw
    this.#connection = http2 ? new Http2Connection(stream, url.host, isSecure) : stream
    return this.#connection
  }

  #learn({ statusCode = 0, headers, httpVersion }: IncomingMessage): Head {
    const overHttp2 = this.#connection instanceof Http2Connection ? this.#connection.answer : undefined
    this.#head = overHttp2 ?? { status: statusCode, headers, httpVersion }
    keepCookies(this.#options.agent?.jar, this.#way.url, this.#head.headers)
    return this.#head
  }
}

function originFor(url: URL, { origin, headers }: ResolvedOptions): { origin?: string } {
  if (origin === undefined) return {}
  if (origin !== 'same-origin') return { origin }
  const [, host = url.host] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'host') ?? []
  return { origin: `${url.protocol === 'wss:' ? 'https' : 'http'}://${host}` }
}
