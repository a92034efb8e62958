import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A connection that stays open while others come and go. Nothing they do may affect it. */
export class Companion {
  readonly #socket: WebSocket

  static async join(port: number, path: string): Promise<Companion> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`).on('error', () => {})
    await Promise.race([once(socket, 'open'), once(socket, 'close')])
    return new Companion(socket)
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket
  }

  /** Closes the connection. @returns whether it worked until then */
  async leave(): Promise<boolean> {
    const closed = once(this.#socket, 'close')
    if (this.#socket.readyState !== WebSocket.OPEN) return false
    const echoed = once(this.#socket, 'message').then(([data]) => String(data))
    this.#socket.send('still here')
    const heard = await Promise.race([echoed, closed])
    this.#socket.close(1000)
    const [code] = await closed
    return heard === 'still here' && code === 1000
  }
}
