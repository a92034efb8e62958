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
 * Makes `app.injectWS`: a client in this process whose bytes go through a server, without a port.
 * @param server takes the handshakes of the app
 */
export function injectWS(app: FastifyInstance, server: HttpServer): InjectWS {
  /** What raw requests are to have beside header fields, by their socket. */
  const contexts = new WeakMap<object, object>()
  const addContext: RequestListener = (req) => void Object.assign(req, contexts.get(req.socket))

  return async function injectWS(path = '/', upgradeContext = {}, { onInit, onOpen } = {}) {
    refuseHttp2(app)
    await app.ready()
    // In front of Fastify's own, so that hooks see it.
    if (!app.server.listeners('request').includes(addContext)) app.server.prependListener('request', addContext)
    const [clientSide, accepted] = memorySockets(server)
    // The last three are on the wire already.
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
  throw new Error('injectWS() speaks HTTP/1.1, which this server does not take; see https: { allowHTTP1: true }')
}

/** `ws` wants the subprotocols apart from the other fields, however they are spelled. */
const lowerCased = (headers: OutgoingHttpHeaders = {}): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
