import { once } from 'node:events'
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import type { HttpServer, WebSocket } from '@oneport/core'
import { WebSocket as WsClient } from '@oneport/core/ws-compatibility'
import type { FastifyInstance, InjectWSOption } from 'fastify'
import { memorySockets } from './memory-socket.ts'

type InjectWS = (
  path?: string,
  upgradeContext?: Partial<IncomingMessage>,
  options?: InjectWSOption
) => Promise<WebSocket>

/**
 * Creates `app.injectWS`, which connects a client to the server in memory, without a port.
 * @param server the server that handshakes arrive at
 */
export function injectWS(app: FastifyInstance, server: HttpServer): InjectWS {
  /** Additional properties of raw requests, by their socket. */
  const contexts = new WeakMap<object, object>()
  const addContext: RequestListener = (req) => void Object.assign(req, contexts.get(req.socket))

  return async function injectWS(path = '/', upgradeContext = {}, { onInit, onOpen } = {}) {
    refuseHttp2(app)
    await app.ready()
    // Before Fastify's own listener, so that hooks see the properties.
    if (!app.server.listeners('request').includes(addContext)) app.server.prependListener('request', addContext)
    const [clientSide, accepted] = memorySockets(server)
    // The request that the client sends determines the last three.
    const { headers, method: _method, url: _url, httpVersion: _version, ...context } = upgradeContext
    contexts.set(accepted, context)
    const { 'sec-websocket-protocol': offered, ...others } = lowerCased(headers)
    const socket = new WsClient(`ws://localhost${path}`, offered?.toString().split(/[, ]+/) ?? [], {
      headers: others,
      perMessageDeflate: false,
      createConnection: () => {
        // https://nodejs.org/api/http.html#event-connection
        server.emit(server instanceof TlsServer ? 'secureConnection' : 'connection', accepted)
        return clientSide as never
      }
    })
    onInit?.(socket)
    socket.once('open', () => onOpen?.(socket))
    await once(socket, 'open')
    return socket
  }
}

function refuseHttp2({ initialConfig: { http2, https } }: FastifyInstance): void {
  if (http2 !== true || (typeof https === 'object' && https.allowHTTP1)) return
  throw new Error('injectWS() speaks HTTP/1.1, which this server does not allow; set https: { allowHTTP1: true }')
}

/** With lowercase names, because `ws` takes the subprotocols separately, and names may be in any case. */
const lowerCased = (headers: OutgoingHttpHeaders = {}): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
