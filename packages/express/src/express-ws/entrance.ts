import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EndpointOptions } from '@oneport/core'
import { isWebSocketRequest } from '@oneport/core/adapter'
import { AdaptedSocketServer } from '@oneport/core/ws-compatibility'
import type express from 'express'
import { verify, type WsOptions } from './server-options.ts'

/** An application with `ws` routes. */
export class Entrance {
  readonly endpoint: EndpointOptions
  readonly verifyClient: WsOptions['verifyClient']
  readonly sockets: AdaptedSocketServer<express.Request>
  /** Whether handshakes are treated as ordinary requests again. */
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

/** Events of `ws` that are never emitted here, and what to use instead. */
const instead = new Map([
  ['headers', 'use res.set() in middleware to set header fields of the 101'],
  ['wsClientError', 'use the option onRefused']
])

/** The application that a handshake has entered. */
export const entered = new WeakMap<IncomingMessage, Entrance>()

type Handle = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => unknown

/** Express calls this method of an application for each request, and also that of a mounted application. */
export interface Handling {
  handle: Handle
}

/**
 * The paths of `ws` routes end in `/.websocket`, and so does the URL of a handshake while it is in the application. So
 * handshakes skip the ordinary routes of their path, and ordinary requests skip the `ws` routes.
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
