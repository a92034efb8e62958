import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { responseClassOf, writeToRawSocket } from '../node.ts'

/** Makes the response to a handshake. */
export type MakeResponse = (req: IncomingMessage) => ServerResponse

type ResponseClass = typeof ServerResponse
type WatchedClass = new (req: IncomingMessage) => ServerResponse

/**
 * Makes responses of the class that `createServer` was given, as its ordinary requests get them. They tell when somebody
 * asks whether their head is sent; see {@link watchHeadersSent}.
 * @param asked is told of the request
 */
export function responsesOf(server: Server, asked: (req: IncomingMessage) => void): MakeResponse {
  let Watched: WatchedClass | undefined
  return (req) => {
    // Not before: with `allowHTTP1` a server of node:http2 has its class from its first connection on.
    Watched ??= watchedClass(responseClassOf(server), asked)
    return writeToRawSocket(new Watched(req))
  }
}

function watchedClass(Response: ResponseClass, asked: (req: IncomingMessage) => void): WatchedClass {
  // A prototype in between costs nothing for each response, and leaves it what it is.
  class Watched extends Response {}
  Object.defineProperties(Watched.prototype, {
    constructor: { configurable: true, writable: true, value: Response },
    headersSent: accessorFor(Response.prototype, asked),
    [watched]: { value: true }
  })
  return Watched
}

/**
 * Tells when somebody asks whether a response's head is sent, where it has lost the prototype that does: Express gives
 * responses another one.
 */
export function watchHeadersSent(response: ServerResponse, asked: (req: IncomingMessage) => void): void {
  if ((response as { [watched]?: true })[watched]) return
  Object.defineProperty(response, 'headersSent', accessorFor(Object.getPrototypeOf(response) as ServerResponse, asked))
}

/** What the prototype has that tells. */
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
