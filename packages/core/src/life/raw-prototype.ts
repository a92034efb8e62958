import type { Duplex } from 'node:stream'

/**
 * Gives a raw socket the methods that it needs under a WebSocket. They are in a prototype between the socket and its
 * class: own methods would take memory for each connection, and hide those of an application that has put its own on
 * the socket.
 */
export function occupy(rawSocket: Duplex): void {
  Object.setPrototypeOf(rawSocket, methodsOver(Object.getPrototypeOf(rawSocket) as Duplex, 'session' in rawSocket))
}

/** One prototype per class of raw sockets. */
const occupied = new WeakMap<Duplex, Duplex>()

function methodsOver(base: Duplex, isHttp2: boolean): Duplex {
  let methods = occupied.get(base)
  if (methods === undefined) {
    methods = Object.assign(Object.create(base) as Duplex, { end: endOver(base), destroy: destroyOver(base) })
    // Not on HTTP/2, and not on a custom Duplex, which writes one chunk at a time anyway.
    if (!isHttp2 && typeof base._writev === 'function') methods._writev = writevOver(base._writev)
    occupied.set(base, methods)
  }
  return methods
}

/**
 * Skips `end()` on a socket that has ended. `ws` calls it, and each time Node creates an error with a stack that nobody
 * sees. With those of the receiver, they were a fifth of the work of a short connection.
 */
const endOver = ({ end }: Duplex): Duplex['end'] =>
  function (this: Duplex, ...args: never[]): Duplex {
    return this.writableEnded && args.length === 0 ? this : Reflect.apply(end, this, args)
  }

/** The raw socket that is shielded, if one is, and whether it still has to be. */
let shielded: { readonly rawSocket: Duplex; isNeeded(): boolean } | undefined

/**
 * Shields a raw socket under a WebSocket until the code that is running now has ended: `destroy()` without an error does
 * nothing. The raw socket is still `req.socket`, and frameworks end the connection of a request that fails after its
 * response has begun: Express reads `res.headersSent` and calls `req.socket.destroy()`. After a 101 that would end the
 * WebSocket.
 * @param isNeeded whether the WebSocket is still open
 */
export function shield(rawSocket: Duplex, isNeeded: () => boolean): void {
  if (shielded === undefined) {
    queueMicrotask(() => {
      shielded = undefined
    })
  }
  shielded = { rawSocket, isNeeded }
}

const destroyOver = ({ destroy }: Duplex): Duplex['destroy'] =>
  function <Stream extends Duplex>(this: Stream, error?: Error): Stream {
    if (!error && shielded?.rawSocket === this && shielded.isNeeded()) return this
    return Reflect.apply(destroy, this, [error]) as Stream
  }

type Writev = NonNullable<Duplex['_writev']>

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
const writevOver = (writev: Writev): Writev =>
  function (this: Duplex, chunks: Chunks, done: (error?: Error | null) => void): void {
    if (chunks.length <= mostBuffers) Reflect.apply(writev, this, [chunks, done])
    else writeInPieces(this, chunks, done)
  }

function writeInPieces(stream: Duplex, chunks: Chunks, done: (error?: Error | null) => void): void {
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
    stream._write(bytes, 'buffer' as BufferEncoding, writeOn)
  }
  writeOn()
}
