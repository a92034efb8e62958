import { EventEmitter } from 'node:events'
import { closed, open } from '../ready-state.ts'
import type { TopicSocket } from '../socket.ts'
import { type Answer, answerOf } from './answer-text.ts'

/** Collects answers for one response. Topics use it like a socket. */
export class Inbox extends EventEmitter implements TopicSocket {
  readonly extensions = ''
  readonly answers: Answer[] = []
  /** Resolves in the turn after there is enough for a response, or it was closed. */
  readonly ready: Promise<void>
  /** The close code, if topics have closed it. */
  code: number | undefined
  readonly #isEnough: () => boolean
  #readyState: number = open
  #bytes = 0
  #resolve = (): void => {}

  /** @param isEnough called after each answer */
  constructor(isEnough: () => boolean) {
    super()
    this.#isEnough = isEnough
    this.ready = new Promise((resolve) => {
      // What is published in the same turn comes along.
      this.#resolve = () => void setImmediate(resolve)
    })
  }

  get readyState(): number {
    return this.#readyState
  }

  /** What is in the response cannot be taken back, so it counts as waiting, except for who is present. */
  get bufferedAmount(): number {
    return this.#bytes
  }

  send(data: string | Buffer, { binary = Buffer.isBuffer(data) } = {}): void {
    const answer = answerOf(data, binary)
    this.answers.push(answer)
    // Each poll has all who are present. However many they are, there must be room for messages.
    if (!answer.header.startsWith('present ')) this.#bytes += answer.bytes.length
    if (this.#isEnough()) this.#resolve()
  }

  close(code?: number): void {
    if (this.#readyState === closed) return
    this.code = code
    this.terminate()
  }

  /** Ends it, and with it its subscriptions. */
  terminate(): void {
    if (this.#readyState === closed) return
    this.#readyState = closed
    this.emit('close')
    this.#resolve()
  }
}
