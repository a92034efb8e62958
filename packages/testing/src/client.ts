import { isAnyArrayBuffer } from 'node:util/types'
import type { Head } from './head.ts'
import { readable, show, showAll, showValue } from './show.ts'
import { Unread } from './unread.ts'
import { overdue, within } from './wait.ts'
import type { WebSocket } from './websocket.ts'

/** A message: text as a string, binary as a Buffer. */
export type Message = string | Buffer

/** How a connection ended. */
export interface Closed {
  /** The close code that the server sent; 1005 where it sent none, 1006 where the connection broke off. */
  readonly code: number
  /** The close reason; empty where there is none. */
  readonly reason: string
  /** Whether both ends took part in the closing handshake. */
  readonly clean: boolean
}

/** Bytes of messages that may wait until they are asked for, each counted with what it takes beside its own. */
const maxUnreadBytes = 67_108_864

/** What a close frame may have (RFC 6455 §7.4): some of the codes below 3000 say what happened where there was none. */
const isSendable = (code: number): boolean =>
  Number.isInteger(code) &&
  ((code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999))

/** Messages that a sentence about a wait shows. */
const shown = 3

/**
 * A WebSocket client for tests. Messages are kept from the first one on, until they are asked for; where they are more than
 * 64 MiB, the connection is broken off.
 */
export class Client implements AsyncIterable<Message> {
  /** The response that opened the connection, with its header fields. */
  readonly response: Head
  /** The client of `ws` inside, for what is not here: `pause()`, fragments, listeners for `ping`. */
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

  /** @internal Called in the tick of the 101, before any message can be lost. */
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

  /** The subprotocol that was agreed on; undefined for none. */
  get subprotocol(): string | undefined {
    return this.socket.protocol === '' ? undefined : this.socket.protocol
  }

  /**
   * Sends a message, text for a string and binary for the rest.
   * @throws TypeError for anything else
   * @throws Error where the connection has closed
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

  /** Sends a value as JSON. */
  sendJson(value: unknown): void {
    this.send(JSON.stringify(value))
  }

  /**
   * The next message, in order; one that has come before the call counts.
   * @throws Error that says what came instead where there is none in time, or the connection closes
   */
  async next(): Promise<Message> {
    const message = await this.#take('next')
    if (message === undefined) {
      throw new Error(`next: no further message came; the connection ${this.#howItEnded()}. ${this.#history()}`)
    }
    return message
  }

  /**
   * The next message, parsed as JSON.
   * @throws Error as `next` does, and where the message is no JSON
   */
  async nextJson<Value = unknown>(): Promise<Value> {
    const message = await this.next()
    try {
      return JSON.parse(String(message)) as Value
    } catch {
      throw new Error(`nextJson: a message came that is no JSON: ${show(message)}`)
    }
  }

  /**
   * All messages until the connection closes, with whichever code. Each of them is a wait of its own. Leaving the loop
   * leaves the connection open.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (;;) {
      const message = await this.#take('for await')
      if (message === undefined) return
      yield message
    }
  }

  /**
   * How the connection ends. Each reading of it is a wait of its own.
   * @throws Error that says what came instead where it does not end in time
   */
  get closed(): Promise<Closed> {
    const closed = this.#waitForEnd('closed')
    // Who reads it and does not wait for it need not handle its rejection.
    closed.catch(() => {})
    return closed
  }

  /**
   * Sends a ping and waits for its pong.
   * @throws Error where none comes in time, or the connection closes
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
      throw new Error(`ping: no pong came within ${this.#timeoutMs} ms. ${this.#history()}`)
    }
    if (!result) throw new Error(`ping: no pong came; the connection ${this.#howItEnded()}. ${this.#history()}`)
  }

  /**
   * Begins the closing handshake and waits for its end. Where it does not end in time, the connection is terminated.
   * @param code close code: 1000, 1001 as of a page that is left, or one from 3000 to 4999
   * @param reason close reason, at most 123 bytes of UTF-8
   * @throws TypeError for a code or a reason that no close frame may have
   * @throws Error where it does not end in time
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

  /** Breaks the connection off, without a closing handshake. */
  terminate(): void {
    this.socket.terminate()
  }

  /** `using client = …`: terminates. */
  [Symbol.dispose](): void {
    this.terminate()
  }

  /** `await using client = …`: closes with 1000, where it is still open. */
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
    this.#fault = new Error(`${this.#unread.count} messages were unread, which is more than a client of a test keeps`)
    this.terminate()
  }

  /** @returns undefined where the connection has closed and all messages are read */
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
    throw new Error(`${what}: no message came within ${this.#timeoutMs} ms. ${this.#history()}`)
  }

  async #waitForEnd(what: string): Promise<Closed> {
    const end = await within(this.#timeoutMs, this.#ended)
    if (end !== overdue) return end
    throw new Error(`${what}: the connection did not end within ${this.#timeoutMs} ms. ${this.#history()}`)
  }

  #howItEnded(): string {
    const { code, reason, clean } = this.#end as Closed
    const words = [`closed with ${code}`, reason === '' ? '' : show(reason), clean ? '' : '(not clean)']
    const fault = this.#fault === undefined ? '' : `: ${readable(this.#fault.message, 1_000)}`
    return words.filter(Boolean).join(' ') + fault
  }

  /** What has arrived. */
  #history(): string {
    const [heard, unread] = [this.#heardCount, this.#unread.count]
    const messages =
      heard === 0
        ? 'Nothing had arrived'
        : unread === 0
          ? `${heard} ${heard === 1 ? 'message' : 'messages'} had arrived and been read: ${showAll(heard, this.#lastHeard)}`
          : `Unread ${unread === 1 ? 'was' : 'were'} ${showAll(unread, this.#unread.last(shown))}`
    const pings = this.#pings === 0 ? '' : `, and ${this.#pings} ${this.#pings === 1 ? 'ping' : 'pings'}`
    const state = this.#end === undefined ? '; the connection was open' : ''
    return `${messages}${pings}${state}.`
  }
}
