/**
 * Everything that is ever put on a raw socket as a property of its own is put on and taken off here.
 */
import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex, Writable } from 'node:stream'

/** A method of a raw socket, with whatever it takes. */
export type Method = (...args: never[]) => unknown

/** The method that a raw socket has by its class. */
export function methodOf<Name extends keyof Duplex>(rawSocket: Duplex, name: Name): Duplex[Name] {
  return (Object.getPrototypeOf(rawSocket) as Duplex)[name]
}

/**
 * Puts methods in front of a raw socket's own, or a response's. Once they are taken off, those who hold one of them reach what stood there
 * before: `ws` asks for `destroy` in front of its answer, and calls it behind that.
 * @returns takes them off again, but for those that somebody has put a method of his own in front of
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
 * Takes the next write in place of the raw socket.
 * @returns takes it off again; does nothing where the write has come
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
 * Leaves a stream as if nobody had read from it or paused it yet: the next `data` listener starts it. Node does the same
 * before it emits `upgrade`.
 */
export function forgetFlow(stream: Duplex): void {
  ;(stream as { readableFlowing: boolean | null }).readableFlowing = null
}

/** What has a raw socket once its handshake is accepted. */
export interface Occupant {
  /** Whether a bare `destroy()` comes from a framework that cannot answer any more. */
  readonly isShielded: boolean
}

const occupant = Symbol('oneport.occupant')
type Occupied = Duplex & { [occupant]?: Occupant | undefined }

/**
 * Gives a raw socket to a WebSocket. The request keeps it as `req.socket`, and a framework ends the connection of a request
 * that fails after its response has begun: Express asks `res.headersSent` and calls `req.socket.destroy()`. Behind a 101
 * that would end the WebSocket, so while its occupant is shielded, it does nothing.
 *
 * It also spares the ends of what has ended: `ws` does so, and Node makes an error with a stack each time, which nobody
 * gets: a fifth of the work of a short connection, together with those of its receiver.
 */
export function occupy(rawSocket: Occupied, by: Occupant): void {
  rawSocket[occupant] = by
  // Not on HTTP/2, and not where somebody's own Duplex writes one chunk at a time anyway.
  if (!('session' in rawSocket) && typeof rawSocket._writev === 'function') rawSocket._writev = writev
  rawSocket.end = end as Duplex['end']
  rawSocket.destroy = destroy
}

/** What waits to be written. */
type Chunks = { readonly chunk: string | Buffer; readonly encoding: BufferEncoding }[]

/** The system takes no more than this many buffers in one call, and Node makes one call in a turn of the event loop. */
const mostBuffers = 1_024

/** Of more buffers than that, this many bytes at a time are copied together. */
const pieceBytes = 65_536

/**
 * Writes what waits. The answers to a chunk of small messages are thousands of buffers, and a client that reads would get
 * 500 messages in a turn while ten thousand come. HTTP/2 copies them by itself, and takes the first of several writes for
 * the last one where the stream ends.
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

/** Gives a stream of HTTP/2 what a socket has, for the heartbeat, for slow clients, and for the log. */
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
