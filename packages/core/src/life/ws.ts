/**
 * The only run-time import of `ws`, and all uses of its undocumented parts, as of 8.23. Other files import only types.
 * `test/life/ws-versions.test.ts` shows what other versions lack.
 */
import type { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Duplex, Writable } from 'node:stream'
import * as imported from 'ws'
import type { WebSocket as Socket } from '../websocket.ts'

/** What we use of the package. */
interface Ws {
  /** The class of sockets. */
  readonly WebSocket: {
    /** Creates a client. */
    new (url: string, protocols: string[], options: object): Socket
    /** Creates the socket of a server. */
    new (address: null, protocols: undefined, options: object): Socket
  }
  /** The class of servers. */
  readonly WebSocketServer: new (
    options: object
  ) => WebSocketServer
}

/** A `WebSocketServer` with the option `noServer`. */
export interface WebSocketServer {
  /** Accepts a handshake. */
  handleUpgrade(req: IncomingMessage, rawSocket: Duplex, head: Buffer, onOpen: (socket: Socket) => void): void
  /** Adds a listener for refused handshakes. */
  on(event: 'wsClientError', listener: () => void): unknown
}

const found = packageOf(imported)

/** The class of sockets of `ws`. */
export const WebSocket: Ws['WebSocket'] = found.WebSocket
/** The class of servers of `ws`. */
export const WebSocketServer: Ws['WebSocketServer'] = found.WebSocketServer
/** A socket of `ws`. */
export type WebSocket = Socket

/**
 * The installed package. Bun has a built-in module of this name, which works only with the raw sockets of Bun's own
 * server and bypasses them. There the package is loaded by its path. https://bun.com/docs/runtime/nodejs-compat
 * @param require for tests
 */
export function packageOf(ws: Ws, require?: NodeJS.Require): Ws {
  if (isPackage(ws)) return ws
  try {
    // Only here: bundled as an ES module, this file has no `__filename`.
    const load = require ?? createRequire(__filename)
    return load(dirname(load.resolve('ws/package.json'))) as Ws
  } catch (cause) {
    throw new Error(
      '@oneport/core needs the package ws, which this runtime replaces by a module of its own; install it',
      {
        cause
      }
    )
  }
}

/** In Bun's module, `Receiver` is an empty class. */
function isPackage(ws: Ws & { Receiver?: { prototype: Partial<Writable> } }): boolean {
  return typeof ws.Receiver?.prototype.write === 'function'
}

interface Internals {
  readonly _receiver: Writable
  /** `_queue` exists if messages are compressed. */
  readonly _sender: { readonly _queue?: ArrayLike<unknown> }
  readonly _closeFrameReceived: boolean
  readonly _closeCode: number
  emitClose(): void
}

const internalsOf = (socket: WebSocket): Internals => socket as unknown as Internals

/** The stream that parses frames. */
export const receiverOf = (socket: WebSocket): Writable => internalsOf(socket)._receiver

/**
 * Whether the client's close frame has arrived. `ws` answers it by calling `close()`; only this field tells the two
 * apart.
 */
export const hasReceivedClose = (socket: WebSocket): boolean => internalsOf(socket)._closeFrameReceived

/** The number of messages that wait in the sender while an earlier one is compressed. */
export const queuedInSender = (socket: WebSocket): number => internalsOf(socket)._sender._queue?.length ?? 0

/** Emits `close`: what `ws` calls at the end of a connection. */
export const emitClose = (socket: WebSocket): void =>
  (WebSocket.prototype as unknown as Internals).emitClose.call(socket)

/** The close code that `close` listeners get. */
export const closeCodeOf = (socket: WebSocket): number => internalsOf(socket)._closeCode

/**
 * Makes a listener that `addEventListener` has created count as that of another handler. `ws` stores the handler on the
 * listener, under a symbol, to find it again.
 */
export function standFor(listener: object, handler: unknown): void {
  for (const symbol of Object.getOwnPropertySymbols(listener)) {
    if (typeof Reflect.get(listener, symbol) === 'function') Reflect.set(listener, symbol, handler)
  }
}
