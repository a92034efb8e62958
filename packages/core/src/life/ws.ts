/**
 * `ws` at run time, and what of it is used beside its documentation, seen in 8.23. Nothing else imports it but for types.
 * `test/life/ws-versions.test.ts` says what another version lacks.
 */
import type { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Duplex, Writable } from 'node:stream'
import * as imported from 'ws'
import type { WebSocket as Socket } from '../websocket.ts'

/** What is used of the package. */
interface Ws {
  readonly WebSocket: {
    new (url: string, protocols: string[], options: object): Socket
    /** The socket of a server. */
    new (address: null, protocols: undefined, options: object): Socket
  }
  readonly WebSocketServer: new (options: object) => WebSocketServer
}

/** A server with the option `noServer`. */
export interface WebSocketServer {
  handleUpgrade(req: IncomingMessage, rawSocket: Duplex, head: Buffer, onOpen: (socket: Socket) => void): void
  on(event: 'wsClientError', listener: () => void): unknown
}

export const { WebSocket, WebSocketServer } = packageOf(imported)
export type WebSocket = Socket

/**
 * The package that is installed. Bun has a module of its own under this name, which takes the raw sockets of its own server
 * alone and writes past them: there the package is loaded by its path. https://bun.com/docs/runtime/nodejs-compat
 * @param require for tests
 */
export function packageOf(ws: Ws, require?: NodeJS.Require): Ws {
  if (isPackage(ws)) return ws
  try {
    // Not in front of this: an ES module that a bundler has made of this file has no `__filename`.
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

/** The `Receiver` of Bun's module is an empty class. */
function isPackage(ws: Ws & { Receiver?: { prototype: Partial<Writable> } }): boolean {
  return typeof ws.Receiver?.prototype.write === 'function'
}

interface Internals {
  readonly _receiver: Writable
  /** `_queue` is there where messages are compressed. */
  readonly _sender: { readonly _queue?: ArrayLike<unknown> }
  readonly _closeFrameReceived: boolean
  readonly _closeCode: number
  emitClose(): void
}

const internalsOf = (socket: WebSocket): Internals => socket as unknown as Internals

/** The stream that parses frames. */
export const receiverOf = (socket: WebSocket): Writable => internalsOf(socket)._receiver

/** `ws` answers the client's close frame by calling `close()` itself, and tells it in this field alone. */
export const hasReceivedClose = (socket: WebSocket): boolean => internalsOf(socket)._closeFrameReceived

/** Messages that wait in the sender for the compression of one in front of them. */
export const queuedInSender = (socket: WebSocket): number => internalsOf(socket)._sender._queue?.length ?? 0

/** What `ws` calls at the end of a connection: it emits `close`. */
export const emitClose = (socket: WebSocket): void =>
  (WebSocket.prototype as unknown as Internals).emitClose.call(socket)

/** The close code that `close` is emitted with. */
export const closeCodeOf = (socket: WebSocket): number => internalsOf(socket)._closeCode

/**
 * Lets a listener that `addEventListener` has made stand for another handler than the one it calls: `ws` keeps the handler
 * on it under a symbol, by which it finds what it is to remove.
 */
export function standFor(listener: object, handler: unknown): void {
  for (const symbol of Object.getOwnPropertySymbols(listener)) {
    if (typeof Reflect.get(listener, symbol) === 'function') Reflect.set(listener, symbol, handler)
  }
}
