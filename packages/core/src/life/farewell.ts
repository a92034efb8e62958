import type { WebSocket } from '../websocket.ts'

/** The sockets that one drain closes: those that are open when it starts, and those that open during it. */
export class Farewell {
  readonly code: number
  readonly reason: string
  /** The sockets that are still open. */
  readonly sockets: Set<WebSocket>
  /** The number of all sockets so far. */
  count: number
  readonly #whenEmpty: (() => void)[] = []

  constructor(code: number, reason: string, open: Iterable<WebSocket>) {
    this.code = code
    this.reason = reason
    this.sockets = new Set(open)
    this.count = this.sockets.size
  }

  add(socket: WebSocket): void {
    this.sockets.add(socket)
    this.count++
  }

  delete(socket: WebSocket): void {
    if (!this.sockets.delete(socket) || this.sockets.size > 0) return
    for (const resolve of this.#whenEmpty.splice(0)) resolve()
  }

  /** Resolves when all sockets have closed. */
  async empty(): Promise<void> {
    if (this.sockets.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve))
  }
}
