import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  constants,
  type Http2SecureServer,
  type Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream
} from 'node:http2'
import type { Socket } from 'node:net'
import { Handshake } from '../handshake.ts'
import { countBytes } from '../raw-methods.ts'
import { dispatch, type Receiver } from './dispatch.ts'
import { ignoreError } from './events.ts'
import { http2, permitSwitching } from './http2-answer.ts'
import { type BusySocket, RawSocket } from './raw-socket.ts'

/** Whether a server speaks HTTP/2: of Node's servers, only those have this method. */
export const isHttp2 = (server: object): server is Http2Server | Http2SecureServer =>
  typeof (server as Partial<Http2Server>).updateSettings === 'function'

/**
 * Listens for handshakes on an HTTP/2 server: extended CONNECT (RFC 8441 §4). The server's settings tell clients that
 * they may send it.
 * @returns a function that stops listening and leaves the server as it was
 */
export function listenHttp2(server: Http2Server | Http2SecureServer, receiver: Receiver): () => void {
  // Without a `connect` listener, Node answers CONNECT with 405.
  const onConnect = (req: IncomingMessage, res: ServerResponse): void => {
    const stream = (res as unknown as { stream: ServerHttp2Stream }).stream
    const protocol = req.headers[':protocol']
    if (protocol === 'websocket') {
      receive(receiver, req, res, stream)
    } else if (server.listenerCount('connect') === 1) {
      // RFC 9220 §3: 501 for an unknown protocol. Without `:protocol`, CONNECT asks for a tunnel.
      res.writeHead(protocol === undefined ? 405 : 501).end()
    }
  }
  // Node creates requests, and emits `connect`, only if something listens for `request`.
  const onStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]): void => {
    const isOurs = server.listenerCount('request') === 0 && server.listenerCount('stream') === 1
    if (!isOurs || headers[':protocol'] !== 'websocket') return
    const req = new Http2ServerRequest(stream, headers, {}, raw) as unknown as IncomingMessage
    receive(receiver, req, new Http2ServerResponse(stream) as unknown as ServerResponse, stream)
  }
  server.on('stream', onStream)
  server.on('connect' as never, onConnect)
  server.updateSettings({ enableConnectProtocol: true })
  const forgetSockets = noteSockets(server)
  return () => {
    forgetSockets()
    server.off('stream', onStream)
    server.removeListener('connect', onConnect)
    server.updateSettings({ enableConnectProtocol: false })
  }
}

/** Needs no watching: an HTTP/2 stream emits `close` when the client leaves, even if nothing reads it. */
class Http2Stream extends RawSocket {
  override watch(): void {}
}

function receive(receiver: Receiver, req: IncomingMessage, res: ServerResponse, stream: ServerHttp2Stream): void {
  stream.on('error', ignoreError)
  // Routers expect GET, as on HTTP/1.1. The pseudo-header `:protocol` stays.
  req.method = 'GET'
  // RFC 9113 §8.3.1: `:authority` takes precedence over `Host`.
  const authority = req.headers[':authority'] as string | undefined
  if (authority !== undefined) req.headers.host = authority
  countBytes(stream)
  permitSwitching(res)
  const rawSocket = new Http2Stream(stream as unknown as BusySocket, undefined, receiver.connections)
  const handshake = new Handshake(http2, receiver, rawSocket, res)
  const { session } = stream
  stream.once('close', () => {
    if (handshake.state !== 'accepted') rawSocket.closed()
    // Otherwise `server.close()` would wait for the client to end the session.
    if (handshake.connections.draining && session !== undefined) closeSession(session)
  })
  stream.once('finish', () => {
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), lingerMs).unref()
    stream.once('close', () => clearTimeout(timer))
  })
  dispatch(receiver, handshake)
}

/** The socket of each session: `session.socket` is a proxy that does not allow `destroy()`. */
const socketOf = new WeakMap<Http2Session, Socket>()

/** Records the socket of each session. Node emits `session` in its own listener for the new connection. */
function noteSockets(server: Http2Server | Http2SecureServer): () => void {
  const event = 'setSecureContext' in server ? 'secureConnection' : 'connection'
  let connected: Socket | undefined
  const onConnection = (socket: Socket): void => {
    connected = socket
  }
  const onSession = (session: Http2Session): void => {
    if (connected !== undefined) socketOf.set(session, connected)
  }
  server.prependListener(event, onConnection)
  server.on('session', onSession)
  return () => {
    server.off(event, onConnection)
    server.off('session', onSession)
  }
}

/**
 * Closes a session when its streams have ended, and then its socket. Node would only end its own side, and wait for a
 * client that may have vanished or may not be reading.
 */
function closeSession(session: Http2Session): void {
  const socket = socketOf.get(session)
  if (socket === undefined) return
  socketOf.delete(session)
  session.close()
  const timer = setInterval(() => {
    if (!session.destroyed) return
    clearInterval(timer)
    socket.destroy()
  }, sessionLingerMs).unref()
}

/** Time that a client has to close the connection after its session has ended, in milliseconds. */
const sessionLingerMs = 1_000

/**
 * Time that a client has to end its side of a stream after we have ended ours, in milliseconds. Firefox (seen with 153)
 * never does: it forgets the stream after the closing handshake. A server may then reset it with NO_ERROR (RFC 9113
 * §8.1).
 */
const lingerMs = 250
