import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { WebSocket } from '@oneport/core'
import * as ws from 'ws'
import type { Target } from './raw-client.ts'

/** Opens an HTTP/2 session and waits for the server's settings. The caller closes it. */
export async function openSession({ port, host = '127.0.0.1', tls = false }: Target): Promise<ClientHttp2Session> {
  const tcp = connectTcp({ host, port })
  const session = connect(`${tls ? 'https' : 'http'}://${host}:${port}`, {
    createConnection: () => (tls ? connectTls({ socket: tcp, ALPNProtocols: ['h2'], rejectUnauthorized: false }) : tcp)
  })
  session.on('error', () => {})
  tcpBelow.set(session, tcp)
  await once(session, 'remoteSettings')
  return session
}

/** The TCP connection of each session. */
const tcpBelow = new WeakMap<ClientHttp2Session, Socket>()

/** Ends a session with a TCP reset. */
export const resetSession = (session: ClientHttp2Session): void => void tcpBelow.get(session)?.resetAndDestroy()

/** The answer to an extended CONNECT. */
export interface Http2Answer {
  /** The status; 200 accepts. */
  readonly status: number
  /** The header fields. */
  readonly headers: IncomingHttpHeaders
  /** The stream, with the body or the frames. */
  readonly stream: ClientHttp2Stream
}

/** Sends an extended CONNECT (RFC 8441 §5). Undefined leaves a field out. */
export function beginConnect(
  session: ClientHttp2Session,
  path: string,
  fields: Record<string, string | string[] | undefined> = {}
): ClientHttp2Stream {
  const all = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': session.encrypted ? 'https' : 'http',
    ':authority': 'app.example',
    ':path': path,
    'sec-websocket-version': '13',
    ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]))
  }
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  const stream = session.request(given, { endStream: false })
  stream.on('error', () => {})
  return stream
}

/** Sends an extended CONNECT and waits for the head of the answer. */
export async function sendConnect(...args: Parameters<typeof beginConnect>): Promise<Http2Answer> {
  const stream = beginConnect(...args)
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
  return { status: headers[':status'], headers, stream }
}

/** The complete body of an answer, as text. */
export async function bodyOf({ stream }: Pick<Http2Answer, 'stream'>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

/** A `ws` client on an accepted stream. `ws` has no public way to create one, as HTTP/2 clients are rare. */
export function webSocketOn(stream: ClientHttp2Stream): WebSocket {
  const socket = new ws.WebSocket(null as never, undefined, {})
  Object.assign(socket, { _isServer: false, _closeTimeout: 5_000 })
  const { setSocket } = socket as unknown as {
    setSocket(stream: ClientHttp2Stream, head: Buffer, options: object): void
  }
  setSocket.call(socket, stream, Buffer.alloc(0), {
    allowSynchronousEvents: true,
    maxPayload: 0,
    skipUTF8Validation: false
  })
  socket.on('error', () => {})
  return socket
}
