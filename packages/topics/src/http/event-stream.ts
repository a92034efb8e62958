import { Readable } from 'node:stream'
import { closed, open } from '../ready-state.ts'
import type { TopicSocket } from '../socket.ts'
import { answerOf, eventOf } from './answer-text.ts'
import type { Positions } from './positions.ts'

/** After how many milliseconds a client is to come back: at random, so that not all come at once. */
const [shortestMs, longestMs] = [1_000, 5_000]

/** Tells an `EventSource` when to come back. */
export const retry = (): string => `retry: ${Math.round(shortestMs + Math.random() * (longestMs - shortestMs))}\n\n`

/** The body of a response with Server-Sent Events. Topics use it like a socket. */
export class EventStream extends Readable implements TopicSocket {
  readonly extensions = ''
  /** The close code, if topics have closed it. */
  code: number | undefined
  readonly #positions: Positions
  readonly #onAnswer: (header: string) => void
  #hasEnded = false
  /** Bytes that were sent, how many of them had been read at the last look, and whether others waited then. */
  #pushed = 0
  #read = 0
  #wasWaiting = false

  /** @param onAnswer called with the header line of each answer */
  constructor(positions: Positions, onAnswer: (header: string) => void) {
    super({ highWaterMark: 16_384 })
    this.#positions = positions
    this.#onAnswer = onAnswer
  }

  get readyState(): number {
    return this.#hasEnded || this.destroyed ? closed : open
  }

  get bufferedAmount(): number {
    return this.readableLength
  }

  send(data: string | Buffer, { binary = Buffer.isBuffer(data) } = {}): void {
    const answer = answerOf(data, binary)
    const hasMoved = this.#positions.take(answer.header)
    this.#write(eventOf(answer, hasMoved ? String(this.#positions) : undefined))
    this.#onAnswer(answer.header)
  }

  /** Whether something has waited for the client since the last call, and it has read nothing. */
  isStuck(): boolean {
    const read = this.#pushed - this.readableLength
    const isStuck = this.#wasWaiting && read === this.#read
    this.#read = read
    this.#wasWaiting = this.readableLength > 0
    return isStuck
  }

  /** Sends a comment, so that proxies and the client see that the connection works. */
  beat(): void {
    if (this.readyState === open) this.#write(':\n\n')
  }

  /** Ends the response. An `EventSource` comes back by itself. */
  close(code?: number): void {
    if (this.readyState !== open) return
    this.code = code
    this.#write(retry())
    this.#hasEnded = true
    this.push(null)
  }

  terminate(): void {
    this.destroy()
  }

  override _read(): void {}

  #write(text: string): void {
    const bytes = Buffer.from(text)
    this.#pushed += bytes.length
    this.push(bytes)
  }
}
