import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { Duplex } from 'node:stream'
import type { Head } from './head.ts'

/** Fields of HTTP/1.1 and its opening handshake that an extended CONNECT must not have. */
const ofHttp1 = new Set(['connection', 'upgrade', 'host', 'sec-websocket-key', 'transfer-encoding', 'keep-alive'])

const endOfHead = Buffer.from('\r\n\r\n')

/**
 * Lets an HTTP/1.1 client use an HTTP/2 stream: turns its opening handshake into an extended CONNECT (RFC 8441 §5),
 * turns a 200 into a 101, and passes other responses and all later data through unchanged.
 */
export class Http2Connection extends Duplex {
  /** The response as the server sent it over HTTP/2. */
  answer: Head | undefined
  readonly #session: ClientHttp2Session
  readonly #scheme: 'http' | 'https'
  /** Whether the server's settings allow extended CONNECT. */
  readonly #offersConnect: Promise<boolean>
  #stream: ClientHttp2Stream | undefined
  #head: Buffer = Buffer.alloc(0)

  constructor(raw: Duplex, host: string, isSecure: boolean) {
    super()
    this.#scheme = isSecure ? 'https' : 'http'
    this.#session = connect(`${this.#scheme}://${host}`, { createConnection: () => raw })
    this.#offersConnect = once(this.#session, 'remoteSettings').then(
      ([{ enableConnectProtocol }]) => enableConnectProtocol === true,
      () => false
    )
    this.#session.on('error', (error) => this.destroy(error))
    this.#session.once('close', () => {
      if (this.#stream === undefined) this.destroy(new Error('the connection was closed before the handshake was sent'))
    })
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#stream !== undefined) {
      this.#stream.write(chunk, encoding, done)
      return
    }
    this.#head = Buffer.concat([this.#head, chunk])
    const end = this.#head.indexOf(endOfHead)
    if (end === -1) done()
    else void this.#offersConnect.then((offers) => this.#begin(this.#head.toString('latin1', 0, end), offers, done))
  }

  override _final(done: () => void): void {
    if (this.#stream === undefined || this.#stream.destroyed) done()
    else this.#stream.end(done)
  }

  override _read(): void {
    this.#stream?.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (error === null && this.readableEnded && this.writableFinished) {
      this.#session.close()
    } else {
      this.#stream?.close(constants.NGHTTP2_CANCEL)
      this.#session.destroy()
    }
    done(error)
  }

  #begin(head: string, offersConnect: boolean, done: (error?: Error) => void): void {
    if (this.destroyed) return
    if (offersConnect) this.#send(head)
    done(offersConnect ? undefined : new Error('the server does not offer WebSockets over HTTP/2 (RFC 8441 §3)'))
  }

  #send(head: string): void {
    const [requestLine = '', ...lines] = head.split('\r\n')
    const [, path = '/'] = requestLine.split(' ')
    const fields = new Map<string, string[]>()
    for (const line of lines) {
      const colon = line.indexOf(': ')
      const name = line.slice(0, colon).toLowerCase()
      fields.set(name, [...(fields.get(name) ?? []), line.slice(colon + 2)])
    }
    const [key = ''] = fields.get('sec-websocket-key') ?? []
    const [authority = ''] = fields.get('host') ?? []
    const forHttp2 = [...fields].filter(([name]) => !ofHttp1.has(name))
    const stream = this.#session.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':scheme': this.#scheme,
        ':authority': authority,
        ':path': path,
        ...Object.fromEntries(forHttp2.map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
      },
      { endStream: false }
    )
    this.#stream = stream
    stream.once('response', ({ ':status': status = 0, ...headers }) =>
      this.#answer(stream, { status, headers, httpVersion: '2.0' }, key)
    )
    stream.once('error', (error) => this.destroy(error))
    stream.once('close', () => {
      if (!stream.readableEnded) this.destroy()
    })
  }

  #answer(stream: ClientHttp2Stream, answer: Head, key: string): void {
    this.answer = answer
    const { status, headers } = answer
    const isAccepted = status === 200
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((single) => `${name}: ${single}`)
    )
    const handshake = isAccepted
      ? ['connection: Upgrade', 'upgrade: websocket', `sec-websocket-accept: ${acceptValue(key)}`]
      : ['connection: close']
    const statusLine = isAccepted ? 'HTTP/1.1 101 Switching Protocols' : `HTTP/1.1 ${status} `
    this.push(Buffer.from([statusLine, ...handshake, ...lines, '', ''].join('\r\n'), 'latin1'))
    // Not earlier: data that arrived with the response must not be pushed before its head.
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause()
    })
    stream.once('end', () => this.push(null))
  }
}

/** RFC 6455 §4.2.2 (5)(4). */
const acceptValue = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
