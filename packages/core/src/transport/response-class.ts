import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { responseClassOf, writeToRawSocket } from '../node.ts'

/** Creates the response to a handshake. */
export type MakeResponse = (req: IncomingMessage) => ServerResponse

type ResponseClass = typeof ServerResponse
type WatchedClass = new (req: IncomingMessage) => ServerResponse

/**
 * Creates responses of the class that was passed to `createServer`, as for ordinary requests.
 * @param asked called with the request when something reads `headersSent` of the response and gets true
 */
export function responsesOf(server: Server, asked: (req: IncomingMessage) => void): MakeResponse {
  let Watched: WatchedClass | undefined
  return (req) => {
    // Not earlier: a node:http2 server with `allowHTTP1` gets its class with its first connection.
    Watched ??= watchedClass(responseClassOf(server), asked)
    return writeToRawSocket(new Watched(req))
  }
}

function watchedClass(Response: ResponseClass, asked: (req: IncomingMessage) => void): WatchedClass {
  // A prototype in between costs nothing per response, and `instanceof` and `constructor` give the same as before.
  class Watched extends Response {}
  Object.defineProperties(Watched.prototype, {
    constructor: { configurable: true, writable: true, value: Response },
    headersSent: accessorFor(Response.prototype, asked),
    [watched]: { value: true }
  })
  return Watched
}

/**
 * Reports reads of `headersSent` on one response, unless its prototype does: Express gives responses a new one.
 * @param asked called with the request when something reads `headersSent` and gets true
 */
export function watchHeadersSent(response: ServerResponse, asked: (req: IncomingMessage) => void): void {
  if ((response as { [watched]?: true })[watched]) return
  Object.defineProperty(response, 'headersSent', accessorFor(Object.getPrototypeOf(response) as ServerResponse, asked))
}

/** Marks a prototype that reports reads of `headersSent`. */
const watched = Symbol('oneport.watched')

function accessorFor(original: ServerResponse, asked: (req: IncomingMessage) => void): PropertyDescriptor {
  const { get: ask } = descriptorOf(original, 'headersSent') ?? {}
  return {
    configurable: true,
    get(this: ServerResponse): boolean {
      const isSent = ask?.call(this) === true
      if (isSent) asked(this.req)
      return isSent
    }
  }
}

function descriptorOf(object: object, name: string): PropertyDescriptor | undefined {
  for (let owner: object | null = object; owner !== null; owner = Object.getPrototypeOf(owner) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name)
    if (descriptor !== undefined) return descriptor
  }
  return undefined
}
