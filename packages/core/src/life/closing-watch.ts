import type { Server } from 'node:http'

/** How often an occupied server is asked, in milliseconds. */
const askMs = 100

/**
 * Notices that a server has been told to close. Node says `close` only when the last connection has ended, and an
 * accepted WebSocket would keep it from ending: what is left is to ask whether the server still listens, while there
 * are connections.
 */
export class ClosingWatch {
  readonly #server: Server
  readonly #onClosing: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(server: Server, onClosing: () => void) {
    this.#server = server
    this.#onClosing = onClosing
  }

  /** Called when a handshake begins. */
  start(): void {
    // A server that was handed its connections never listened.
    if (this.#server.listening) this.#timer ??= setInterval(() => this.#ask(), askMs).unref()
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
