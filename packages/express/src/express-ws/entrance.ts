import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EndpointOptions } from '@oneport/core'
import { isWebSocketRequest } from '@oneport/core/adapter'
import { AdaptedSocketServer } from '@oneport/core/ws-compatibility'
import type express from 'express'
import { verify, type WsOptions } from './server-options.ts'

/** One application that takes handshakes for `ws` routes. */
export class Entrance {
  readonly endpoint: EndpointOptions
  readonly verifyClient: WsOptions['verifyClient']
  readonly sockets: AdaptedSocketServer<express.Request>
  /** Whether handshakes are ordinary requests again. */
  isClosed = false

  constructor(endpoint: EndpointOptions, { verifyClient, clientTracking }: WsOptions) {
    this.endpoint = endpoint
    this.verifyClient = verifyClient
    this.sockets = new AdaptedSocketServer({
      clientTracking,
      instead,
      stop: (clients) => {
        this.isClosed = true
        for (const client of clients) client.terminate()
      }
    })
  }
}

/** Events of `ws` that never come, and what to use instead. */
const instead = new Map([
  ['headers', 'use res.set() in middleware; the 101 carries what it sets'],
  ['wsClientError', 'use the option onRefused']
])

/** The application that a handshake came into. */
export const entered = new WeakMap<IncomingMessage, Entrance>()

type Handle = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => unknown

/** Express calls this method of an application for each request, of a mounted one too. */
export interface Handling {
  handle: Handle
}

/**
 * Routes of `ws` end in `/.websocket`, and the URL of a handshake does while it is in the application: so a handshake
 * passes by the ordinary routes of its path, and ordinary requests pass by the routes of `ws`.
 */
export function takeHandshakes(app: Handling, entrance: Entrance): void {
  const { handle } = app
  app.handle = (req, res, next) => {
    if (entered.has(req) || entrance.isClosed || !isWebSocketRequest(req)) return handle.call(app, req, res, next)
    entered.set(req, entrance)
    const request = req as express.Request
    const { url } = request
    request.originalUrl ??= url
    const leave = (error?: unknown): void => {
      entered.delete(req)
      request.url = url
      next?.(error)
    }
    return verify(entrance.verifyClient, req, res, () => {
      request.url = withSuffix(url)
      handle.call(app, req, res, next && leave)
    })
  }
}

function withSuffix(url: string): string {
  const [path = '', query] = splitAt(url, url.indexOf('?'))
  return `${path}${path.endsWith('/') ? '' : '/'}.websocket${query}`
}

const splitAt = (text: string, index: number): [string, string] =>
  index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index)]
