import type { RawData, WebSocket } from '@oneport/core'
import { WSContext, type WSEvents } from 'hono/ws'

/**
 * Calls the event handlers of a connection, as Hono's adapters do: text as a string, binary data as an `ArrayBuffer`.
 * @param report called with what a handler throws or rejects with
 * @returns a promise that rejects if `report` itself throws for `onOpen`
 */
export function emitEvents(
  socket: WebSocket,
  events: WSEvents<WebSocket> | undefined,
  url: string,
  report: (error: unknown) => void
): Promise<void> {
  const ws = contextOf(socket, url)
  const call = async (handle: () => unknown): Promise<void> => {
    try {
      await handle()
    } catch (error) {
      report(error)
    }
  }
  socket.on('message', (data: RawData, isBinary: boolean) =>
    call(() => events?.onMessage?.(new MessageEvent('message', { data: isBinary ? copy(data) : String(data) }), ws))
  )
  socket.on('close', (code: number, reason: Buffer) =>
    call(() => events?.onClose?.(eventWith('close', { code, reason: String(reason), wasClean: code !== 1006 }), ws))
  )
  socket.on('error', (error: Error) =>
    call(() => events?.onError?.(eventWith('error', { error, message: error.message }), ws))
  )
  return call(() => events?.onOpen?.(new Event('open'), ws))
}

/** An event with properties. Node has no `ErrorEvent`, and `CloseEvent` since version 23 only. */
const eventWith = <Type extends Event>(type: string, properties: object): Type =>
  Object.assign(new Event(type), properties) as Type

/** The bytes of a message in an `ArrayBuffer` of its own, because Node's buffers share theirs. */
function copy(data: RawData): ArrayBuffer {
  if (data instanceof ArrayBuffer) return data
  const bytes = Array.isArray(data) ? Buffer.concat(data) : data
  return new Uint8Array(bytes).buffer
}

const contextOf = (socket: WebSocket, url: string): WSContext<WebSocket> =>
  new WSContext<WebSocket>({
    raw: socket,
    url,
    protocol: socket.protocol,
    get readyState() {
      return socket.readyState
    },
    send: (data, options) => socket.send(data, options),
    close: (code, reason) => socket.close(code, reason)
  })
