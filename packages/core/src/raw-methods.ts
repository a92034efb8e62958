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
