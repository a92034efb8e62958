import type { Writable } from 'node:stream'

/** Gets the bytes that a connection receives, before the stream that parses frames. */
export interface Reader {
  /** @returns false to get nothing more until that stream emits `drain` */
  read(chunk: Buffer): boolean
  /** Called before that stream ends. */
  finish(): void
  /** Called with anything thrown while a received frame is delivered. */
  fail(error: unknown, phase: 'listener'): void
}

/** The stream of `ws` that parses frames. */
interface Receiver extends Writable {
  reader?: Reader
}

/**
 * Makes a reader get what `ws` writes to its receiver. The methods for this are in a prototype between the receiver and
 * its class; own methods would take memory for each connection.
 */
export function readThrough(receiver: Receiver, reader: Reader): void {
  receiver.reader = reader
  Object.setPrototypeOf(receiver, methodsOver(Object.getPrototypeOf(receiver) as Writable))
}

/** Parses bytes. `done` is called when they are parsed, which is later for compressed messages. */
export function parse(receiver: Writable, chunk: Buffer, done?: () => void): boolean {
  return Reflect.apply(classOf(receiver).write, receiver, done === undefined ? [chunk] : [chunk, done])
}

/** The prototype of the class of a receiver, below our methods. */
const classOf = (receiver: Writable): Writable =>
  Object.getPrototypeOf(Object.getPrototypeOf(receiver) as object) as Writable

/** One prototype per class of receivers; there is only one class. */
const methods = new WeakMap<Writable, object>()

function methodsOver(base: Writable): object {
  let found = methods.get(base)
  if (found === undefined) {
    found = Object.assign(Object.create(base) as object, { write, end, emit, _write: parseNext })
    methods.set(base, found)
  }
  return found
}

/**
 * Drops chunks after a receiver has failed. It is destroyed on the next tick only, and until then still gets new chunks
 * and those that waited for a compressed message. `ws` would start to inflate them, and fail when the connection
 * closes, with an exception in a zlib callback, which ends the process.
 */
function parseNext(
  this: Receiver,
  chunk: Buffer,
  encoding: BufferEncoding,
  done: (error?: Error | null) => void
): void {
  if (this.errored === null) Reflect.apply(classOf(this)._write, this, [chunk, encoding, done])
}

function write(this: Receiver, chunk: Buffer): boolean {
  return (this.reader as Reader).read(chunk)
}

/**
 * Skips `end()` on a receiver that has ended. `ws` calls it, and each time Node creates an error with a stack that
 * nobody sees. With those of the raw socket, they were a fifth of the work of a short connection.
 */
function end(this: Receiver): Writable {
  if (this.writableEnded) return this
  this.reader?.finish()
  return Reflect.apply(classOf(this).end, this, [])
}

/**
 * `ws` delivers through methods of the socket, which the application may have replaced. Anything they throw would end
 * the process.
 */
function emit(this: Receiver, ...args: unknown[]): boolean {
  try {
    return Reflect.apply(classOf(this).emit, this, args)
  } catch (error) {
    this.reader?.fail(error, 'listener')
    return true
  }
}
