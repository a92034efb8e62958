import { isAnyArrayBuffer } from 'node:util/types'
import type { Head } from './head.ts'
import { readable, show, showAll, showValue } from './show.ts'
import { Unread } from './unread.ts'
import { overdue, within } from './wait.ts'
import type { WebSocket } from './websocket.ts'

/** A message: text as a string, binary as a Buffer. */
export type Message = string | Buffer

/** How a connection was closed. */
export interface Closed {
  /** The close code from the server; 1005 if its close frame has none, 1006 if it sent no close frame. */
  readonly code: number
  /** The close reason; empty if there is none. */
  readonly reason: string
  /** Whether the closing handshake was completed. */
  readonly clean: boolean
}

/** Maximum size of all unread messages, in bytes, including the overhead of each. */
const maxUnreadBytes = 67_108_864

/** Whether a close frame may have this code. Some codes below 3000 only report its absence. RFC 6455 §7.4. */
const isSendable = (code: number): boolean =>
  Number.isInteger(code) &&
  ((code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999))

/** Number of messages that an error message shows. */
const shown = 3

/**
 * A WebSocket client for tests. It keeps all messages until they are read, beginning with those that were sent together
 * with the 101. If unread messages exceed 64 MiB, it terminates the connection.
 */
export class Client implements AsyncIterable<Message> {
  /** The response that accepted the handshake. */
  readonly response: Head
  /** The underlying client of `ws`, for everything else: `pause()`, fragments, `ping` events. */
  readonly socket: WebSocket
  readonly #timeoutMs: number
  readonly #unread = new Unread()
  #heardCount = 0
  #lastHeard: Message[] = []
  #waiting: ((message: Message | undefined) => void)[] = []
  #pings = 0
  #fault: Error | undefined
  #end: Closed | undefined
  readonly #ended: Promise<Closed>

  /** @internal Must be called in the same tick as the 101, so that no message is lost. */
  constructor(socket: WebSocket, response: Head, timeoutMs: number) {
    this.socket = socket
    this.response = response
    this.#timeoutMs = timeoutMs
    socket.on('message', (data, isBinary) => this.#receive(isBinary ? (data as Buffer) : String(data)))
    socket.on('ping', () => {
      this.#pings += 1
    })
    socket.on('error', (error) => {
      this.#fault ??= error
    })
    this.#ended = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason, wasClean }) => {
        this.#end = { code, reason, clean: wasClean }
        for (const give of this.#waiting) give(undefined)
        this.#waiting = []
        resolve(this.#end)
      })
    })
  }

  /** The chosen subprotocol; undefined if there is none. */
  get subprotocol(): string | undefined {
    return this.socket.protocol === '' ? undefined : this.socket.protocol
  }

  /**
   * Sends a message: a string as text, bytes as binary.
   * @throws TypeError for other data
   * @throws Error if the connection is closing or closed
   */
  send(data: string | Buffer | ArrayBuffer | NodeJS.ArrayBufferView): void {
    if (typeof data !== 'string' && !ArrayBuffer.isView(data) && !isAnyArrayBuffer(data)) {
      throw new TypeError(`send: expected a string or bytes; got ${showValue(data)}; did you mean sendJson()?`)
    }
    if (this.socket.readyState !== this.socket.OPEN) {
      throw new Error(`send: the connection ${this.#end === undefined ? 'is closing' : this.#howItEnded()}`)
    }
    this.socket.send(data)
  }

  /** Sends a value as JSON, in a text message. */
  sendJson(value: unknown): void {
    this.send(JSON.stringify(value))
  }

  /**
   * Returns the next message, or waits for it. Messages that arrived before the call are returned first.
   * @throws Error that says what was received instead, if no message arrives in time or the connection closes
   */
  async next(): Promise<Message> {
    const message = await this.#take('next')
    if (message === undefined) {
      throw new Error(`next: got no further message; the connection ${this.#howItEnded()}. ${this.#history()}`)
    }
    return message
  }

  /**
   * Like `next`, but parses the message as JSON.
   * @throws Error like `next`, and if the message is not JSON
   */
  async nextJson<Value = unknown>(): Promise<Value> {
    const message = await this.next()
    try {
      return JSON.parse(String(message)) as Value
    } catch {
      throw new Error(`nextJson: expected JSON; got ${show(message)}`)
    }
  }

  /**
   * All messages until the connection closes, with any code. `timeoutMs` applies to each message. Breaking out of the
   * loop does not close the connection.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (;;) {
      const message = await this.#take('for await')
      if (message === undefined) return
      yield message
    }
  }

  /**
   * Resolves when the connection is closed. Each access starts a new wait.
   * @throws Error that says what was received instead, if it is not closed in time
   */
  get closed(): Promise<Closed> {
    const closed = this.#waitForEnd('closed')
    // Prevents an unhandled rejection if the caller does not await it.
    closed.catch(() => {})
    return closed
  }

  /**
   * Sends a ping and waits for its pong.
   * @param data at most 125 bytes
   * @throws Error if no pong arrives in time, or the connection closes
   */
  async ping(data: string | Buffer = ''): Promise<void> {
    const payload = Buffer.from(data)
    let onPong = (_answer: Buffer): void => {}
    const answered = new Promise<boolean>((resolve) => {
      onPong = (answer) => {
        if (answer.equals(payload)) resolve(true)
      }
      void this.#ended.then(() => resolve(false))
    })
    this.socket.on('pong', onPong)
    let result: Awaited<typeof answered> | typeof overdue
    try {
      if (this.#end === undefined) this.socket.ping(payload)
      result = await within(this.#timeoutMs, answered)
    } finally {
      this.socket.off('pong', onPong)
    }
    if (result === overdue) {
      throw new Error(`ping: got no pong within ${this.#timeoutMs} ms. ${this.#history()}`)
    }
    if (!result) throw new Error(`ping: got no pong; the connection ${this.#howItEnded()}. ${this.#history()}`)
  }

  /**
   * Starts the closing handshake and waits until the connection is closed. If that takes too long, terminates it.
   * @param code the close code: 1000, 1001 (sent by browsers when the user leaves the page), or 3000 to 4999
   * @param reason the close reason, at most 123 bytes of UTF-8
   * @throws TypeError for an invalid code or reason
   * @throws Error if the connection is not closed in time
   */
  async close(code = 1000, reason = ''): Promise<Closed> {
    if (!isSendable(code)) {
      throw new TypeError(`close: code: expected 1000, 1001, or one from 3000 to 4999; got ${showValue(code)}`)
    }
    if (typeof reason !== 'string' || Buffer.byteLength(reason) > 123) {
      throw new TypeError(`close: reason: expected a string of at most 123 bytes; got ${showValue(reason)}`)
    }
    this.socket.close(code, reason)
    try {
      return await this.#waitForEnd('close')
    } finally {
      this.terminate()
    }
  }

  /** Destroys the connection at once, without a closing handshake. */
  terminate(): void {
    this.socket.terminate()
  }

  /** For `using client = …`: calls `terminate()`. */
  [Symbol.dispose](): void {
    this.terminate()
  }

  /** For `await using client = …`: calls `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #receive(message: Message): void {
    this.#heardCount++
    this.#lastHeard = [...this.#lastHeard.slice(1 - shown), message]
    const give = this.#waiting.shift()
    if (give !== undefined) {
      give(message)
      return
    }
    this.#unread.push(message)
    if (this.#unread.cost <= maxUnreadBytes || this.#fault !== undefined) return
    this.#fault = new Error(`${this.#unread.count} unread messages exceed the limit of a test client`)
    this.terminate()
  }

  /** @returns undefined if the connection is closed and all messages have been read */
  async #take(what: string): Promise<Message | undefined> {
    if (this.#unread.count > 0 || this.#end !== undefined) return this.#unread.shift()
    let give = (_message: Message | undefined): void => {}
    const arrival = new Promise<Message | undefined>((resolve) => {
      give = resolve
    })
    this.#waiting.push(give)
    const message = await within(this.#timeoutMs, arrival)
    if (message !== overdue) return message
    this.#waiting = this.#waiting.filter((other) => other !== give)
    throw new Error(`${what}: got no message within ${this.#timeoutMs} ms. ${this.#history()}`)
  }

  async #waitForEnd(what: string): Promise<Closed> {
    const end = await within(this.#timeoutMs, this.#ended)
    if (end !== overdue) return end
    throw new Error(`${what}: the connection did not close within ${this.#timeoutMs} ms. ${this.#history()}`)
  }

  #howItEnded(): string {
    const { code, reason, clean } = this.#end as Closed
    const words = [`closed with ${code}`, reason === '' ? '' : show(reason), clean ? '' : '(not clean)']
    const fault = this.#fault === undefined ? '' : `: ${readable(this.#fault.message, 1_000)}`
    return words.filter(Boolean).join(' ') + fault
  }

  /** Describes what was received, for error messages. */
  #history(): string {
    const [heard, unread] = [this.#heardCount, this.#unread.count]
    const messages =
      heard === 0
        ? 'No message was received'
        : unread === 0
          ? `Received and read ${heard} ${heard === 1 ? 'message' : 'messages'}: ${showAll(heard, this.#lastHeard)}`
          : `${unread} unread ${unread === 1 ? 'message' : 'messages'}: ${showAll(unread, this.#unread.last(shown))}`
    const pings = this.#pings === 0 ? '' : `, and ${this.#pings} ${this.#pings === 1 ? 'ping' : 'pings'}`
    const state = this.#end === undefined ? '; the connection was open' : ''
    return `${messages}${pings}${state}.`
  }
}
