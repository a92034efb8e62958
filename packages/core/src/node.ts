/**
 * What is used of Node beside its documentation, each with what it was seen in: Node 20 to 26, Deno 2.9, Bun 1.4. Nothing else
 * in core knows of it. `packages/runtimes` says what a version lacks.
 */
import { createServer, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** A raw socket of a server of HTTP/1.1. */
interface Privates {
  /** Node 20 to 26, Deno, Bun. */
  readonly _httpMessage?: ServerResponse | null
  /** Node 20 to 26, Deno; null on Bun. */
  readonly _handle?: Handle | null
  /** Node 20 to 26, Deno, Bun: the arrays are made where a write waits. */
  readonly _writableState?: { readonly buffered?: ArrayLike<unknown>; readonly bufferedIndex?: number }
  /** Node 20 to 26, Deno, Bun. */
  readonly server?: Server
}

/** What Node has of a stream of the operating system; Deno's and Bun's count nothing. */
interface Handle {
  readonly bytesWritten?: number
  readonly writeQueueSize?: number
  /** On a TLS connection: the TCP connection below it. */
  readonly _parent?: Handle
}

const privatesOf = (rawSocket: object): Privates => rawSocket as Privates

/** The response that a raw socket is busy with; undefined where there is none. */
export const responseOn = (rawSocket: object): ServerResponse | undefined =>
  privatesOf(rawSocket)._httpMessage ?? undefined

/** The server that a raw socket has come to; undefined where somebody has made it. */
export const serverOf = (rawSocket: object): Server | undefined => privatesOf(rawSocket).server

/** Writes that wait behind those which the operating system is busy with: what is documented counts bytes alone. */
export function writesWaiting(stream: Duplex): number {
  const { buffered, bufferedIndex = 0 } = privatesOf(stream)._writableState ?? {}
  return buffered === undefined ? 0 : buffered.length - bufferedIndex
}

/**
 * Bytes that the operating system has taken: what Node calls written includes what waits. `writeQueueSize` is what Node's
 * own timeout looks at to see whether a large write moves; that of a TLS connection stays as it is until the whole write is
 * done, so the connection below it is asked.
 */
export function bytesTaken(stream: Duplex & { readonly bytesWritten?: number }): number {
  const { _handle } = privatesOf(stream)
  const handle = _handle?._parent ?? _handle
  if (handle?.bytesWritten === undefined) return (stream.bytesWritten ?? 0) - stream.writableLength
  return handle.bytesWritten - (handle.writeQueueSize ?? 0)
}

/**
 * Lets a response without a raw socket finish where `end()` has a text: Node sends the end of a body that a 101 does not have,
 * and waits until it is written. Every response sends by this method. Node 20 to 26, Deno, Bun.
 */
export function dropBody(res: ServerResponse & { _send?: typeof sendNothing }): void {
  res._send = sendNothing
}

function sendNothing(_data: unknown, _encoding: unknown, written?: () => void): boolean {
  if (written !== undefined) process.nextTick(written)
  return true
}

/**
 * Gives a raw socket to the response behind this one. Only Node has the list of them, and hands on in a listener for `finish`.
 */
export const passRawSocketOn = (response: ServerResponse): unknown => passOnListener(response)?.call(response)

/** Node 20 to 24 and Deno have it bound, Node 26 has not. */
export const passOnListener = (response: ServerResponse): Listener | undefined =>
  response.listeners('finish').find(({ name }) => name === 'bound resOnFinish' || name === 'onResponseFinish') as
    | Listener
    | undefined

type Listener = (this: ServerResponse) => unknown

/**
 * What Node's servers of HTTP/1.1 do with a connection, with TLS or without: every one of them listens with this same
 * function. https://nodejs.org/api/http.html#event-connection
 *
 * Node 20 to 26, Deno. Bun has a listener of its own in front of it, which names the server.
 */
export const onConnection = createServer().listeners('connection').at(-1) as (this: Server, rawSocket: Duplex) => void

/**
 * The class of responses that `createServer` was given. It is kept under a symbol, and can be found nowhere else before there
 * is a response. Node 20 to 26, Deno, Bun.
 */
export function responseClassOf(server: Server): typeof ServerResponse {
  const found = valueUnder(symbolOf(server, 'ServerResponse'), server)
  return typeof found === 'function' ? (found as typeof ServerResponse) : ServerResponse
}

/**
 * Lets a response write to the raw socket that it is assigned to, and to no other. Bun's has a way past it, from its request,
 * by which it still writes when the two are parted.
 */
export function writeToRawSocket(response: ServerResponse): ServerResponse {
  if (!isBun) return response
  bypass ??= symbolOf(response, 'handle')
  if (bypass !== undefined) Reflect.set(response, bypass, undefined)
  return response
}

const isBun = 'bun' in process.versions
let bypass: symbol | undefined

const symbolOf = (owner: object, description: string): symbol | undefined =>
  Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === description)

const valueUnder = (symbol: symbol | undefined, owner: object): unknown =>
  symbol === undefined ? undefined : Reflect.get(owner, symbol)
