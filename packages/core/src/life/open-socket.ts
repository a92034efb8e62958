import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type HandshakeFields, listMembers } from '../http-fields.ts'
import type { ConnectionOptions } from '../options/endpoint.ts'
import { takeNextWrite } from '../raw-methods.ts'
import type { WebSocket } from '../websocket.ts'
import { ContainedWebSocket } from './contained-socket.ts'
import { WebSocketServer } from './ws.ts'

/** What `ws` needs to open a socket. */
export interface Opening {
  readonly req: IncomingMessage
  readonly rawSocket: Duplex
  /** Bytes received after the handshake, the first frames; undefined if there are none. */
  readonly head: Buffer | undefined
  readonly subprotocol: string | undefined
  readonly options: ConnectionOptions
}

const nothing = Buffer.alloc(0)

/**
 * Hands a raw socket to `ws`. With `noServer`, `handleUpgrade` is synchronous.
 * @param writeHead sends the 101 with the header fields of `ws`, before any frame, instead of the head that `ws` itself
 *   would write
 * @returns undefined if the client has left; then nothing was written
 */
export function openSocket(
  opening: Opening,
  writeHead: (fields: HandshakeFields) => void
): ContainedWebSocket | undefined {
  const { req, rawSocket } = opening
  let opened: ContainedWebSocket | undefined
  const onOpen = (socket: WebSocket): void => {
    opened = socket as ContainedWebSocket
  }
  const restore = takeNextWrite(rawSocket, (text) => writeHead(fieldsOf(String(text))))
  try {
    upgrade(opening, offeredExtensions(req), onOpen)
    // An extension offer that cannot be accepted is declined; the handshake is not refused (RFC 7692 §5.1).
    if (opened === undefined && !rawSocket.destroyed) upgrade(opening, undefined, onOpen)
  } finally {
    restore()
  }
  return opened
}

/** The offered extensions, without the empty list members that are allowed (RFC 9110 §5.6.1) but that `ws` refuses. */
function offeredExtensions({ headers }: IncomingMessage): string | undefined {
  const value = headers['sec-websocket-extensions']
  return value?.includes(',') ? listMembers(value).join(', ') : value
}

/** `ws` requires a key, which HTTP/2 does not have. The field computed from it is not sent (RFC 8441 §5). */
const unusedKey = 'AAAAAAAAAAAAAAAAAAAAAA=='

/**
 * The header fields of a request as `ws` should see them: `headers` itself if they match what was agreed, otherwise a
 * copy that does. Left alone, `ws` would accept the first subprotocol that is offered.
 */
function agreedFields(
  headers: IncomingHttpHeaders,
  subprotocol: string | undefined,
  extensions: string | undefined
): IncomingHttpHeaders {
  const isAsAgreed =
    headers['sec-websocket-protocol'] === subprotocol &&
    headers['sec-websocket-extensions'] === extensions &&
    headers.upgrade?.length === 'websocket'.length &&
    headers['sec-websocket-key'] !== undefined
  if (isAsAgreed) return headers
  return {
    ...headers,
    upgrade: 'websocket',
    'sec-websocket-key': headers['sec-websocket-key'] ?? unusedKey,
    'sec-websocket-version': '13',
    'sec-websocket-protocol': subprotocol,
    'sec-websocket-extensions': extensions
  }
}

/**
 * Calls `handleUpgrade` with the real request: monitors that instrument `ws` read it, and recognize it as the object
 * whose span they have started. During the call, its `headers` are what was agreed. On HTTP/2, where Node's requests do
 * not allow that, `ws` gets an object that inherits from the request.
 */
function upgrade(
  { req, rawSocket, head = nothing, subprotocol, options }: Opening,
  extensions: string | undefined,
  onOpen: (socket: WebSocket) => void
): void {
  const { headers } = req
  const fields = agreedFields(headers, subprotocol, extensions)
  const server = serverFor(options)
  if (fields === headers) {
    server.handleUpgrade(req, rawSocket, head, onOpen)
  } else if (req.httpVersionMajor >= 2) {
    const presented = Object.create(req, { headers: { value: fields } }) as IncomingMessage
    server.handleUpgrade(presented, rawSocket, head, onOpen)
  } else {
    req.headers = fields
    try {
      server.handleUpgrade(req, rawSocket, head, onOpen)
    } finally {
      req.headers = headers
    }
  }
}

/** Parses the head that `ws` writes: a status line, then one line per header field. */
function fieldsOf(head: string): string[] {
  const fields: string[] = []
  for (let start = head.indexOf('\r\n') + 2; ; ) {
    const colon = head.indexOf(': ', start)
    if (colon === -1) return fields
    const end = head.indexOf('\r\n', colon)
    fields.push(head.slice(start, colon), head.slice(colon + 2, end))
    start = end + 2
  }
}

const servers = new WeakMap<ConnectionOptions, WebSocketServer>()

function serverFor(options: ConnectionOptions): WebSocketServer {
  let server = servers.get(options)
  if (server === undefined) {
    const { maxPayloadBytes, perMessageDeflate, closeTimeoutMs, ws } = options
    server = new WebSocketServer({
      ...pieceLimits(maxPayloadBytes),
      // By default `ws` ends the connection at the 61st ping in one chunk, even if the client reads. `maxBufferedBytes`
      // counts pongs too.
      maxPendingAutoPongs: 0,
      ...ws,
      noServer: true,
      clientTracking: false,
      maxPayload: maxPayloadBytes === Infinity ? 0 : maxPayloadBytes,
      perMessageDeflate,
      closeTimeout: closeTimeoutMs,
      WebSocket: ContainedWebSocket
    } as object)
    // With a listener for this event, `ws` writes nothing when it refuses. Version, key and subprotocol are already
    // checked, so it can only refuse extensions.
    server.on('wsClientError', () => {})
    servers.set(options, server)
  }
  return server
}

/**
 * How many pieces a message may have. Each waiting piece costs about 200 bytes in addition to its data, so with the
 * limits of `ws` (16 384 fragments, 262 144 reads) a message of 1 MiB that arrives byte by byte would take 50 MB. These
 * limits allow one fragment per 256 bytes of the largest message and one read per 128 bytes, and at most what `ws`
 * allows.
 */
export function pieceLimits(maxPayloadBytes: number): { maxFragments: number; maxBufferedChunks: number } {
  const between = (least: number, pieces: number, most: number) => Math.ceil(Math.min(most, Math.max(least, pieces)))
  return {
    maxFragments: between(4_096, maxPayloadBytes / 256, 16_384),
    maxBufferedChunks: between(8_192, maxPayloadBytes / 128, 262_144)
  }
}
