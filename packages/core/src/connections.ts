import type { WebSocket } from 'ws'

/** The open sockets of one attachment, and whether new ones may join. */
export class Connections {
  readonly open: Set<WebSocket> = new Set()
  /** How many have joined since the start. */
  joined = 0
  #farewell: { readonly code: number; readonly reason: string } | undefined
  #whenEmpty: (() => void)[] = []

  /** Whether new handshakes get 503. */
  get draining(): boolean {
    return this.#farewell !== undefined
  }

  /** Begins to drain, for good. A socket whose handshake is too far on for a 503 is closed as soon as it joins. */
  startDraining(code: number, reason: string): void {
    this.#farewell = { code, reason }
  }

  add(socket: WebSocket): void {
    this.joined++
    this.open.add(socket)
    socket.on('close', this.#remove)
    if (this.#farewell !== undefined) socket.close(this.#farewell.code, this.#farewell.reason)
  }

  /** Resolves once no socket is open. */
  async empty(): Promise<void> {
    if (this.open.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve))
  }

  // One listener for all sockets: an arrow function for each would keep more alive than the socket.
  readonly #remove: (this: WebSocket) => void = ((connections: Connections) =>
    function (this: WebSocket): void {
      connections.open.delete(this)
      if (connections.open.size > 0) return
      for (const resolve of connections.#whenEmpty.splice(0)) resolve()
    })(this)
}
