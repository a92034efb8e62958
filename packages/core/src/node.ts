/**
 * All uses of undocumented parts of Node in core, each with the runtimes that have it: Node 20 to 26, Deno 2.9, Bun
 * 1.4. The tests in `packages/runtimes` show what a version lacks.
 */
import { createServer, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HeadFields } from './http-fields.ts'

/** Whether this is Bun, which lacks some parts of Node. */
export const isBun = 'bun' in process.versions

/** The raw socket of an HTTP/1.1 server. */
interface Privates {
  /** Node 20 to 26, Deno, Bun. */
  readonly _httpMessage?: ServerResponse | null
  /** Node 20 to 26, Deno; null on Bun. */
  readonly _handle?: Handle | null
  /** Node 20 to 26, Deno, Bun. `buffered` exists once a write has to wait. */
  readonly _writableState?: { readonly buffered?: ArrayLike<unknown>; readonly bufferedIndex?: number }
  /** Node 20 to 26, Deno, Bun. */
  readonly server?: Server
}

/** Node's handle of a stream of the operating system. Those of Deno and Bun have no counters. */
interface Handle {
  readonly bytesWritten?: number
  readonly writeQueueSize?: number
  /** For TLS: the TCP connection below. */
  readonly _parent?: Handle
}

const privatesOf = (rawSocket: object): Privates => rawSocket as Privates

/** The response that is using a raw socket, if any. */
export const responseOn = (rawSocket: object): ServerResponse | undefined =>
  privatesOf(rawSocket)._httpMessage ?? undefined

/**
 * The server that accepted a raw socket; undefined for a socket that was created in some other way. A request that a test
 * has made has none.
 */
export const serverOf = (rawSocket: object | undefined): Server | undefined => rawSocket && privatesOf(rawSocket).server

/** The number of writes that wait for the operating system. The documented properties count bytes only. */
export function writesWaiting(stream: Duplex): number {
  const { buffered, bufferedIndex = 0 } = privatesOf(stream)._writableState ?? {}
  return buffered === undefined ? 0 : buffered.length - bufferedIndex
}

/**
 * The number of bytes that the operating system has taken; `bytesWritten` includes bytes that wait. Node's own timeouts
 * use `writeQueueSize` too, to tell whether a large write makes progress. On a TLS connection it changes only when the
 * whole write is done, so this reads that of the TCP connection below.
 */
export function bytesTaken(stream: Duplex & { readonly bytesWritten?: number }): number {
  const { _handle } = privatesOf(stream)
  const handle = _handle?._parent ?? _handle
  if (handle?.bytesWritten === undefined) return (stream.bytesWritten ?? 0) - stream.writableLength
  return handle.bytesWritten - (handle.writeQueueSize ?? 0)
}

/** The methods of a response that build its head, and that send its parts. Node 20 to 26, Deno; Bun has only `_send`. */
interface ResponseParts {
  _hasBody: boolean
  _storeHeader(statusLine: string, fields?: HeadFields): void
  _header: string | null
  _send(data: unknown, encoding: unknown, written?: () => void): boolean
}

type Parts = ServerResponse & ResponseParts

/** Whether responses call a `HeadBuilder`. Bun builds heads in compiled code. */
export const canBuildHeads = !isBun

/** The method that builds the head of a response when `writeHead` is called. */
export type HeadBuilder = ResponseParts['_storeHeader']

/** @param build returns the head, or undefined to let Node build it */
export const headBuilder = (
  build: (res: ServerResponse, statusLine: string, fields: HeadFields | undefined) => string | undefined
): HeadBuilder =>
  function (this: Parts, statusLine, fields) {
    const head = build(this, statusLine, fields)
    if (head === undefined) (Object.getPrototypeOf(this) as Parts)._storeHeader.call(this, statusLine, fields)
    else this._header = head
  }

/**
 * Gives a response the properties that its answer will set, before the application gets it. Express gives it another
 * prototype, and after that V8 makes a new hidden class for each property that is added: 2 µs and a kilobyte each time.
 */
export function declareParts(res: ServerResponse, build: HeadBuilder): void {
  if (isBun) return
  const parts = res as Parts
  const { _send, statusCode, statusMessage } = parts
  parts._storeHeader = build
  parts._send = _send
  parts.statusCode = statusCode
  parts.statusMessage = statusMessage
}

/**
 * Lets a response without a raw socket finish even if `end()` has a body. A 101 has none, but Node would send its end
 * and wait until it is written. All responses write through this method.
 */
export function dropBody(res: ServerResponse): void {
  const parts = res as Parts
  parts._send = sendNothing
  // Node sets this for a 101. Deno (2.9) does not, and `end()` would then write head and body at once, past `_send`.
  parts._hasBody = false
}

function sendNothing(_data: unknown, _encoding: unknown, written?: () => void): boolean {
  if (written !== undefined) process.nextTick(written)
  return true
}

/**
 * Gives the raw socket to the next response. Only Node has the list of responses; it does this in a `finish` listener.
 */
export const passRawSocketOn = (response: ServerResponse): unknown => passOnListener(response)?.call(response)

/** That listener. It is bound in Node 20 to 24 and Deno, and not in Node 26. */
export const passOnListener = (response: ServerResponse): Listener | undefined =>
  response.listeners('finish').find(({ name }) => name === 'bound resOnFinish' || name === 'onResponseFinish') as
    | Listener
    | undefined

type Listener = (this: ServerResponse) => unknown

/**
 * Node's `connection` listener, which serves a connection. All HTTP/1.1 servers have this same function, with or
 * without TLS. https://nodejs.org/api/http.html#event-connection
 *
 * Node 20 to 26, Deno. Bun has another listener before it, which sets the server.
 */
export const onConnection = createServer().listeners('connection').at(-1) as (this: Server, rawSocket: Duplex) => void

/**
 * The response class that was passed to `createServer`. Until the first response, it can be found only under a symbol.
 * Node 20 to 26, Deno, Bun.
 */
export function responseClassOf(server: Server): typeof ServerResponse {
  const found = valueUnder(symbolOf(server, 'ServerResponse'), server)
  return typeof found === 'function' ? (found as typeof ServerResponse) : ServerResponse
}

/**
 * Makes a response write to its assigned raw socket and nowhere else. In Bun, a response can also write through its
 * request, even after it was detached.
 */
export function writeToRawSocket(response: ServerResponse): ServerResponse {
  if (!isBun) return response
  bypass ??= symbolOf(response, 'handle')
  if (bypass !== undefined) Reflect.set(response, bypass, undefined)
  return response
}

let bypass: symbol | undefined

const symbolOf = (owner: object, description: string): symbol | undefined =>
  Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === description)

const valueUnder = (symbol: symbol | undefined, owner: object): unknown =>
  symbol === undefined ? undefined : Reflect.get(owner, symbol)
