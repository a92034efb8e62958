import type { WebSocket } from 'ws'

/** The open sockets of one attachment, and whether new ones may join. */
export class Connections {
  readonly open: Set<WebSocket> = new Set()
  /** Set for good by `drain()`: new handshakes get 503. */
  draining = false
  #whenEmpty: (() => void) | undefined

  add(socket: WebSocket): void {
    this.open.add(socket)
    socket.on('close', this.#remove)
  }

  /** Resolves once no socket is open. */
  async empty(): Promise<void> {
    if (this.open.size === 0) return
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve
    })
  }

  // One listener for all sockets: an arrow function for each would keep more alive than the socket.
  readonly #remove: (this: WebSocket) => void = ((connections: Connections) =>
    function (this: WebSocket): void {
      connections.open.delete(this)
      if (connections.open.size === 0) connections.#whenEmpty?.()
    })(this)
}
