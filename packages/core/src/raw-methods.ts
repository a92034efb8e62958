/**
 * The one place where core sets own properties of raw sockets, and removes them again.
 */
import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex, Writable } from 'node:stream'

/** A method of a raw socket, whatever its parameters. */
export type Method = (...args: never[]) => unknown

/** The method that a raw socket inherits from its class. */
export function methodOf<Name extends keyof Duplex>(rawSocket: Duplex, name: Name): Duplex[Name] {
  return (Object.getPrototypeOf(rawSocket) as Duplex)[name]
}

/**
 * Overrides methods of a raw socket or a response. Code that holds an override after it was removed calls the method
 * below: `ws` reads `socket.destroy` before its answer is written, and calls it afterwards.
 * @returns a function that removes the overrides, except where someone has overridden them in turn
 */
export function override(rawSocket: Writable, methods: Readonly<Record<string, Method>>): () => void {
  const restorers = Object.entries(methods).map(([name, method]) => overrideOne(rawSocket, name, method))
  return () => {
    for (const restore of restorers) restore()
  }
}

function overrideOne(rawSocket: Writable, name: string, method: Method): () => void {
  const before = Object.getOwnPropertyDescriptor(rawSocket, name)
  let isLifted = false
  function value(this: unknown, ...args: never[]): unknown {
    if (!isLifted) return method(...args)
    const own: Method | undefined = before?.value ?? Reflect.get(Object.getPrototypeOf(rawSocket) as object, name)
    return own === undefined ? undefined : Reflect.apply(own, this, args)
  }
  Object.defineProperty(rawSocket, name, { configurable: true, writable: true, value })
  return () => {
    isLifted = true
    if (Object.getOwnPropertyDescriptor(rawSocket, name)?.value !== value) return
    if (before === undefined) Reflect.deleteProperty(rawSocket, name)
    else Object.defineProperty(rawSocket, name, before)
  }
}

/**
 * Takes the next write, which does not reach the raw socket.
 * @returns a function that undoes this, if there was no write yet
 */
export function takeNextWrite(rawSocket: Duplex, take: (data: unknown) => void): () => void {
  const before = Object.hasOwn(rawSocket, 'write') ? rawSocket.write : undefined
  let isTaken = false
  const write = (...args: [data: unknown]): boolean => {
    if (isTaken) return Reflect.apply(before ?? methodOf(rawSocket, 'write'), rawSocket, args)
    restore()
    take(args[0])
    return true
  }
  const restore = (): void => {
    isTaken = true
    if (rawSocket.write !== write) return
    if (before === undefined) Reflect.deleteProperty(rawSocket, 'write')
    else rawSocket.write = before
  }
  rawSocket.write = write
  return restore
}

/**
 * Makes a stream look as if it had never been read or paused, so that the next `data` listener starts it. Node does the
 * same before it emits `upgrade`.
 */
export function forgetFlow(stream: Duplex): void {
  ;(stream as { readableFlowing: boolean | null }).readableFlowing = null
}

/** What uses a raw socket after the handshake is accepted. */
export interface Occupant {
  /** Whether a `destroy()` without an error comes from a framework that can no longer answer. */
  readonly isShielded: boolean
}

const occupant = Symbol('oneport.occupant')
type Occupied = Duplex & { [occupant]?: Occupant | undefined }

/**
 * Gives a raw socket to a WebSocket. It is still `req.socket`, and frameworks end the connection of a request that
 * fails after its response has begun: Express reads `res.headersSent` and calls `req.socket.destroy()`. After a 101
 * that would end the WebSocket, so `destroy()` does nothing while the occupant is shielded.
 *
 * Also skips `end()` on a socket that has ended. `ws` calls it, and each time Node creates an error with a stack that
 * nobody sees. With those of the receiver, they were a fifth of the work of a short connection.
 */
export function occupy(rawSocket: Occupied, by: Occupant): void {
  rawSocket[occupant] = by
  // Not on HTTP/2, and not on a custom Duplex, which writes one chunk at a time anyway.
  if (!('session' in rawSocket) && typeof rawSocket._writev === 'function') rawSocket._writev = writev
  rawSocket.end = end as Duplex['end']
  rawSocket.destroy = destroy
}

/** Chunks that wait to be written. */
type Chunks = { readonly chunk: string | Buffer; readonly encoding: BufferEncoding }[]

/** The system takes at most this many buffers per call, and Node makes one call per turn of the event loop. */
const mostBuffers = 1_024

/** If there are more buffers, they are copied together in pieces of about this many bytes. */
const pieceBytes = 65_536

/**
 * Writes the waiting chunks. The answers to one chunk of small messages can be thousands of buffers: Node alone would
 * send 500 messages in a turn while ten thousand arrive. HTTP/2 does not need this, because it copies buffers together
 * itself, and when the stream ends, it takes the first of several writes for the last.
 */
function writev(this: Duplex, chunks: Chunks, done: (error?: Error | null) => void): void {
  if (chunks.length <= mostBuffers) {
    Reflect.apply(methodOf(this, '_writev') as NonNullable<Duplex['_writev']>, this, [chunks, done])
    return
  }
  let next = 0
  const writeOn = (error?: Error | null): void => {
    if (error || next === chunks.length) {
      done(error)
      return
    }
    const piece: Buffer[] = []
    let size = 0
    for (; next < chunks.length && size < pieceBytes; next++) {
      const { chunk, encoding } = chunks[next] as Chunks[number]
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
      piece.push(bytes)
      size += bytes.length
    }
    const bytes = piece.length === 1 ? (piece[0] as Buffer) : Buffer.concat(piece, size)
    this._write(bytes, 'buffer' as BufferEncoding, writeOn)
  }
  writeOn()
}

function end(this: Duplex, ...args: never[]): Duplex {
  if (this.writableEnded && args.length === 0) return this
  return Reflect.apply(methodOf(this, 'end'), this, args)
}

function destroy<Stream extends Occupied>(this: Stream, error?: Error): Stream {
  if (!error && this[occupant]?.isShielded) return this
  return Reflect.apply(methodOf(this, 'destroy'), this, [error]) as Stream
}

/** Gives an HTTP/2 stream the byte counters and the address of a socket, for the heartbeat, the backlog and the log. */
export function countBytes(stream: ServerHttp2Stream): void {
  let bytesRead = 0
  let bytesWritten = 0
  const { push, write } = stream
  stream.push = (chunk: Uint8Array | null, ...rest: never[]) => {
    bytesRead += chunk?.length ?? 0
    return Reflect.apply(push, stream, [chunk, ...rest])
  }
  stream.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
    bytesWritten += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length
    return Reflect.apply(write, stream, [chunk, ...rest])
  }) as typeof stream.write
  Object.defineProperty(stream, 'bytesRead', { get: () => bytesRead })
  Object.defineProperty(stream, 'bytesWritten', { get: () => bytesWritten })
  Object.defineProperty(stream, 'remoteAddress', { get: () => stream.session?.socket?.remoteAddress })
}
