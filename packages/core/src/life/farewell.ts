import type { WebSocket } from '../websocket.ts'

/** What one drain closes: the sockets that are open when it begins, and those that join while it lasts. */
export class Farewell {
  readonly code: number
  readonly reason: string
  /** Those that are still open. */
  readonly sockets: Set<WebSocket>
  /** How many there have been. */
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

  /** Resolves once none of them is open. */
  async empty(): Promise<void> {
    if (this.sockets.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve))
  }
}
