import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Attachment, WebSocket } from '@oneport/core'

interface Events {
  connection: [socket: WebSocket, request: IncomingMessage]
  close: []
  newListener: [event: string]
}

/** Events of `ws` that tell nothing here, and what does. */
const instead: ReadonlyMap<unknown, string> = new Map([
  ['headers', 'reply.header() in a hook sets fields of the 101'],
  ['wsClientError', "the plugin's option onRefused hears of refused handshakes"]
])

/**
 * `app.websocketServer`: of a `ws` server what applications use. It emits `connection` before a route's handler is
 * called, and `close` when it takes no more handshakes and the last client has gone.
 */
export type WebsocketServer = EventEmitter<Events> & Clients

interface Clients {
  /** The open sockets, for reading; undefined with `options: { clientTracking: false }`, as with `ws`. */
  readonly clients: Set<WebSocket>
  /**
   * Takes no more handshakes. Open connections go on: close them yourself, as with `ws`.
   * @param callback called once no connection is open; with an error where this was called before
   */
  close(callback?: (error?: Error) => void): void
}

/** Makes `app.websocketServer`. */
export const websocketServer = (attachment: Attachment, clientTracking: boolean | undefined): WebsocketServer =>
  new AttachedServer(attachment, clientTracking)

class AttachedServer extends EventEmitter<Events> implements Clients {
  readonly clients: Set<WebSocket>
  readonly #attachment: Attachment
  #isClosed = false

  constructor(attachment: Attachment, clientTracking = true) {
    super({ captureRejections: true })
    this.#attachment = attachment
    // The types of `ws` leave out that there may be none.
    this.clients = (clientTracking ? attachment.connections : undefined) as Set<WebSocket>
    this.on('newListener', refuseEvent)
  }

  close(callback?: (error?: Error) => void): void {
    if (this.#isClosed) {
      process.nextTick(() => callback?.(new Error('The server is not running')))
      return
    }
    this.#isClosed = true
    if (callback !== undefined) this.once('close', callback)
    this.#attachment.detach()
    void this.#end()
  }

  /** An async listener for `connection` rejects: a fault of this one connection, as if it listened on the socket. */
  override [EventEmitter.captureRejectionSymbol](error: Error, event: unknown, ...args: unknown[]): void {
    if (event !== 'connection') throw error
    const [socket] = args as Events['connection']
    socket[EventEmitter.captureRejectionSymbol]?.(error, event, ...args)
  }

  async #end(): Promise<void> {
    const { connections } = this.#attachment
    for (const socket of connections) await new Promise((resolve) => socket.once('close', resolve))
    this.emit('close')
  }
}

/** A listener that would never be called hides a mistake. */
function refuseEvent(event: string): void {
  const hint = instead.get(event)
  if (hint !== undefined) throw new TypeError(`websocketServer.on('${event}'): there is no such event here; ${hint}`)
}
