import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type HandshakeFields, listMembers } from '../http-fields.ts'
import type { ConnectionOptions } from '../options/endpoint.ts'
import { takeNextWrite } from '../raw-methods.ts'
import type { WebSocket } from '../websocket.ts'
import { ContainedWebSocket } from './contained-socket.ts'
import { WebSocketServer } from './ws.ts'

/** What `ws` takes over. */
export interface Opening {
  readonly req: IncomingMessage
  readonly rawSocket: Duplex
  /** Bytes that came behind the handshake: the first frames. Undefined where none did. */
  readonly head: Buffer | undefined
  readonly subprotocol: string | undefined
  readonly options: ConnectionOptions
}

const nothing = Buffer.alloc(0)

/**
 * Hands a raw socket to `ws`, which with `noServer` is done when `handleUpgrade` returns.
 * @param writeHead puts the 101 with the fields that `ws` asks for on the wire, before any frame: in place of the head
 *   that `ws` would write by itself
 * @returns undefined where the client has gone: then nothing was written
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
    // An offer of an extension that cannot be accepted is declined, not refused (RFC 7692 §5.1).
    if (opened === undefined && !rawSocket.destroyed) upgrade(opening, undefined, onOpen)
  } finally {
    restore()
  }
  return opened
}

/** Without the empty members that a list may have (RFC 9110 §5.6.1) and `ws` does not take. */
function offeredExtensions({ headers }: IncomingMessage): string | undefined {
  const value = headers['sec-websocket-extensions']
  return value?.includes(',') ? listMembers(value).join(', ') : value
}

/** `ws` wants a key where HTTP/2 has none; what comes of it is not sent there (RFC 8441 §5). */
const unusedKey = 'AAAAAAAAAAAAAAAAAAAAAA=='

/**
 * The fields of a request as `ws` may see them: the very object where they say what was agreed, else a copy that differs in
 * what was agreed alone. `ws` would answer the first subprotocol that is offered.
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
 * Calls `handleUpgrade` with the real request: monitors that instrument `ws` read it, and know it again as the object whose
 * span they have begun. Its fields are those that were agreed on meanwhile. On HTTP/2, where Node's request has fields that
 * cannot be set, it is an object that inherits from the request.
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

/** What `ws` writes: a status line, then a line for each field. */
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
      // `ws` would cut the 61st ping of a chunk, whether the client reads or not: `maxBufferedBytes` counts pongs as well.
      maxPendingAutoPongs: 0,
      ...ws,
      noServer: true,
      clientTracking: false,
      maxPayload: maxPayloadBytes === Infinity ? 0 : maxPayloadBytes,
      perMessageDeflate,
      closeTimeout: closeTimeoutMs,
      WebSocket: ContainedWebSocket
    } as object)
    // With a listener for this, `ws` leaves refusals to others and writes nothing. Version, key and subprotocol have
    // been checked by then, so what is left are extensions.
    server.on('wsClientError', () => {})
    servers.set(options, server)
  }
  return server
}

/**
 * How many pieces a message may come in. Each piece that waits costs about 200 bytes beside its own, so that with the
 * limits of `ws` (16 384 fragments, 262 144 reads) a message of 1 MiB in single bytes would hold 50 MB.
 * A fragment stands for 256 bytes of the largest message here, a read for 128, and neither limit is above that of `ws`.
 */
export function pieceLimits(maxPayloadBytes: number): { maxFragments: number; maxBufferedChunks: number } {
  const between = (least: number, pieces: number, most: number) => Math.ceil(Math.min(most, Math.max(least, pieces)))
  return {
    maxFragments: between(4_096, maxPayloadBytes / 256, 16_384),
    maxBufferedChunks: between(8_192, maxPayloadBytes / 128, 262_144)
  }
}
