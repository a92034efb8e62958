import type { Server } from 'node:http'
import type { Timers } from './timers.ts'

/** How often an occupied server is asked, in milliseconds. */
const askMs = 100

/**
 * Notices that a server has been told to close. Node says `close` only when the last connection that the server has
 * accepted itself has ended, and an accepted WebSocket would keep it from ending: what is left is to ask whether the
 * server still listens, while there are connections. A server that is handed its connections never listens; that one says
 * `close` at once.
 */
export class ClosingWatch {
  readonly #server: Server
  readonly #onClosing: () => void
  readonly #timers: Timers
  #timer: NodeJS.Timeout | undefined

  constructor(server: Server, onClosing: () => void, timers: Timers) {
    this.#server = server
    this.#onClosing = onClosing
    this.#timers = timers
  }

  /** Called when something is under way. */
  start(): void {
    if (this.#timer !== undefined) return
    if (this.#server.listening) this.#timer = this.#timers.every(askMs, () => this.#ask())
  }

  /** Called when nothing is under way any more. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #ask(): void {
    if (this.#server.listening) return
    this.stop()
    this.#onClosing()
  }
}
