import type { Writable } from 'node:stream'

/** Gets the bytes that a connection receives, in place of the stream that parses frames. */
export interface Reader {
  /** @returns false where nothing more may come until that stream emits `drain` */
  read(chunk: Buffer): boolean
  /** Called in front of the end of that stream. */
  finish(): void
  /** Called with what is thrown while something that was received is handed over. */
  fail(error: unknown, phase: 'listener'): void
}

/** The stream of `ws` that parses frames. */
interface Receiver extends Writable {
  reader?: Reader
}

/**
 * Has a reader get what `ws` writes to its receiver. The methods for that are put between a receiver and its class: on each
 * receiver they would take memory for each connection.
 */
export function readThrough(receiver: Receiver, reader: Reader): void {
  receiver.reader = reader
  Object.setPrototypeOf(receiver, methodsOver(Object.getPrototypeOf(receiver) as Writable))
}

/** Parses bytes; `done` is called when that is over, which for a compressed message takes a while. */
export function parse(receiver: Writable, chunk: Buffer, done?: () => void): boolean {
  return Reflect.apply(classOf(receiver).write, receiver, done === undefined ? [chunk] : [chunk, done])
}

/** The class of a receiver that is read through. */
const classOf = (receiver: Writable): Writable =>
  Object.getPrototypeOf(Object.getPrototypeOf(receiver) as object) as Writable

/** Made once for each class of receivers: there is one. */
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
 * A receiver that has failed is destroyed on the next tick; until then it gets the chunks that come, and those that waited
 * behind a compressed message. `ws` would begin to inflate what is in them, and find the state for that gone when the
 * connection closes: an exception in a callback of zlib, which ends the process.
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
 * `ws` ends a receiver again that has ended, and Node makes an error with a stack each time, which nobody gets: a part of
 * a fifth of the work of a short connection.
 */
function end(this: Receiver): Writable {
  if (this.writableEnded) return this
  this.reader?.finish()
  return Reflect.apply(classOf(this).end, this, [])
}

/**
 * `ws` hands on by methods of the socket, which the application may have replaced: what they throw would end the process.
 */
function emit(this: Receiver, ...args: unknown[]): boolean {
  try {
    return Reflect.apply(classOf(this).emit, this, args)
  } catch (error) {
    this.reader?.fail(error, 'listener')
    return true
  }
}
