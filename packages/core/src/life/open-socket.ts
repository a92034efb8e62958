import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { listMembers } from '../http-fields.ts'
import type { ConnectionOptions } from '../options/endpoint.ts'
import { answersPings } from '../options/ws.ts'
import { takeNextWrite } from '../raw-methods.ts'
import type { WebSocket } from '../websocket.ts'
import { ContainedWebSocket } from './contained-socket.ts'
import { WebSocketServer } from './ws.ts'

/** What was agreed, as far as `ws` needs it. */
export interface Opening {
  readonly req: IncomingMessage
  readonly subprotocol: string | undefined
  readonly endpoint: { readonly connection: ConnectionOptions }
}

/** Sends the head of the answer. */
export interface HeadSender {
  /** @param head a 101 with the header fields of the handshake, as `ws` would write it */
  sendHead(head: string): void
}

const nothing = Buffer.alloc(0)

/** The socket that `ws` has just opened, and its subprotocol. */
let opened: ContainedWebSocket | undefined
let agreedSubprotocol: string | undefined

const onOpen = (socket: WebSocket): void => {
  opened = socket as ContainedWebSocket
}

/**
 * Hands a raw socket to `ws`. With `noServer`, `handleUpgrade` is synchronous.
 * @param early bytes received after the handshake, the first frames; undefined if there are none
 * @param sender sends the head, before any frame
 * @returns undefined if the client has left; then nothing was written
 */
export function openSocket(
  opening: Opening,
  rawSocket: Duplex,
  early: Buffer | undefined,
  sender: HeadSender
): ContainedWebSocket | undefined {
  const restore = takeNextWrite(rawSocket, (head) => sender.sendHead(String(head)))
  opened = undefined
  agreedSubprotocol = opening.subprotocol
  try {
    const extensions = offeredExtensions(opening.req)
    upgrade(opening, rawSocket, early, extensions)
    // An extension offer that cannot be accepted is declined; the handshake is not refused (RFC 7692 §5.1).
    if (opened === undefined && !rawSocket.destroyed) upgrade(opening, rawSocket, early, undefined)
    return opened
  } finally {
    restore()
    opened = undefined
  }
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
  { req, subprotocol, endpoint }: Opening,
  rawSocket: Duplex,
  early: Buffer = nothing,
  extensions: string | undefined
): void {
  const { headers } = req
  const fields = agreedFields(headers, subprotocol, extensions)
  const server = serverFor(endpoint.connection)
  if (fields === headers) {
    server.handleUpgrade(req, rawSocket, early, onOpen)
  } else if (req.httpVersionMajor >= 2) {
    const presented = Object.create(req, { headers: { value: fields } }) as IncomingMessage
    server.handleUpgrade(presented, rawSocket, early, onOpen)
  } else {
    req.headers = fields
    try {
      server.handleUpgrade(req, rawSocket, early, onOpen)
    } finally {
      req.headers = headers
    }
  }
}

const servers = new WeakMap<ConnectionOptions, WebSocketServer>()

function serverFor(options: ConnectionOptions): WebSocketServer {
  let server = servers.get(options)
  if (server === undefined) {
    const { maxPayloadBytes, perMessageDeflate, closeTimeoutMs, ws } = options
    server = new WebSocketServer({
      ...pieceLimits(maxPayloadBytes),
      ...ws,
      ...(answersPings(ws) && { autoPong: false }),
      // Otherwise each socket would keep a string of its own.
      handleProtocols: () => agreedSubprotocol ?? false,
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
