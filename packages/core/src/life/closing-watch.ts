import type { Server } from 'node:http'
import type { Timers } from './timers.ts'

/** How often to check a server that has connections, in milliseconds. */
const askMs = 100

/**
 * Notices `server.close()`. Node emits `close` only after the last connection that the server has accepted itself has
 * ended, which an open WebSocket prevents. So while there are connections, this polls whether the server still listens.
 * A server that never listens, because its connections are handed to it, emits `close` at once.
 */
export class ClosingWatch {
  readonly #server: Server
  readonly #onClosing: () => void
  readonly #timers: Timers
  #timer: NodeJS.Timeout | undefined
  /** Whether there is a handshake or a connection. */
  #isNeeded = false

  constructor(server: Server, onClosing: () => void, timers: Timers) {
    this.#server = server
    this.#onClosing = onClosing
    this.#timers = timers
  }

  /** Called when there is a handshake or a connection. */
  start(): void {
    this.#isNeeded = true
    if (this.#timer === undefined && this.#server.listening) this.#begin()
  }

  #begin(): void {
    this.#timer = this.#timers.every(askMs, () => this.#ask())
  }

  /** Called when there are none left. The timer runs once more: the next handshake is probably on its way. */
  stop(): void {
    this.#isNeeded = false
  }

  #ask(): void {
    if (this.#isNeeded && this.#server.listening) return
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#isNeeded) this.#onClosing()
  }
}
