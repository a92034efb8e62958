import type { IncomingMessage } from 'node:http'
import { HandshakeError } from '../errors.ts'
import { hasMember } from '../http-fields.ts'
import { quote } from '../show.ts'

/** The parts of a request that the rules read. */
export type RequestHead = Pick<
  IncomingMessage,
  'method' | 'headers' | 'rawHeaders' | 'httpVersionMajor' | 'httpVersionMinor'
>

const isHttp2 = (req: RequestHead): boolean => req.httpVersionMajor >= 2

/**
 * Whether a request is an opening handshake that can be accepted. On HTTP/1.1, it is a GET with `Upgrade` and
 * `Connection` (RFC 6455 §4.2.1 (1)(3)(4)) and without content, because the bytes after it are frames. On HTTP/2, it is
 * an extended CONNECT (RFC 8441 §5), which is dispatched as a GET. Anything else is an ordinary request: a server may
 * ignore `Upgrade` (RFC 9110 §7.8).
 */
export function isOpeningHandshake(req: RequestHead): boolean {
  if (isHttp2(req)) return req.headers[':protocol'] === 'websocket'
  return (
    req.method === 'GET' &&
    isAtLeastHttp11(req) &&
    hasMember(req.headers.upgrade, 'websocket') &&
    hasMember(req.headers.connection, 'upgrade') &&
    !hasContent(req)
  )
}

/** Requests that tests inject may have no version, as those of @hapi/shot. */
const isAtLeastHttp11 = ({ httpVersionMajor: major = 1, httpVersionMinor: minor = 1 }: Partial<RequestHead>): boolean =>
  major > 1 || (major === 1 && minor >= 1)

/** Whether a request has content, according to its head (RFC 9110 §6.4, RFC 9112 §6). */
export function hasContent({ headers }: RequestHead): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)
}

/**
 * Checks that a request is an opening handshake: its method, its HTTP version, and that it asks for an upgrade.
 * @throws HandshakeError HANDSHAKE_METHOD, HANDSHAKE_UPGRADE_REQUIRED
 */
export function validateRequest(req: RequestHead): void {
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    throw new HandshakeError('HANDSHAKE_METHOD', `A WebSocket endpoint expects GET; got ${quote(req.method)}.`)
  }
  if (!isAtLeastHttp11(req)) {
    const version = `HTTP/${req.httpVersionMajor}.${req.httpVersionMinor}`
    throw new HandshakeError(
      'HANDSHAKE_METHOD',
      `A WebSocket endpoint expects GET over HTTP/1.1 or later; got ${version}. A proxy may need a setting for this (nginx: proxy_http_version 1.1).`
    )
  }
  if (isOpeningHandshake(req)) return
  if (isHttp2(req)) {
    // Not 426, which needs the field `Upgrade` (RFC 9110 §15.5.22): HTTP/2 does not have it, and its handshakes use
    // CONNECT.
    throw new HandshakeError('HANDSHAKE_UPGRADE_REQUIRED', upgradeRequired, undefined, {
      status: 405,
      headers: { Allow: 'CONNECT' }
    })
  }
  // Without the option `close`, Node would keep the connection open.
  const closing = { status: 426, headers: { Upgrade: 'websocket', Connection: 'close, Upgrade' } }
  throw new HandshakeError(
    'HANDSHAKE_UPGRADE_REQUIRED',
    `${upgradeRequired} If you did, a proxy has removed the header fields "Upgrade" and "Connection".`,
    undefined,
    hasMember(req.headers.connection, 'close') ? closing : undefined
  )
}

const upgradeRequired =
  "This URL is a WebSocket endpoint: connect with a WebSocket client, such as new WebSocket('wss://...') in a browser."

/** 16 bytes in base64, as `ws` accepts them. */
const key = /^[+/0-9A-Za-z]{22}==$/

/**
 * Checks version, key and extensions (RFC 6455 §4.2.1 (5)(6)(9)). Node joins repeated fields with `, `, so they fail.
 * @throws HandshakeError HANDSHAKE_VERSION, HANDSHAKE_KEY, HANDSHAKE_EXTENSION
 */
export function validateHandshake(req: RequestHead): void {
  const { headers } = req
  const version = headers['sec-websocket-version']
  if (version !== '13') {
    throw new HandshakeError(
      'HANDSHAKE_VERSION',
      `Expected Sec-WebSocket-Version 13; got ${quote(version)}.`,
      undefined,
      isHttp2(req) ? { status: 400, headers: { 'Sec-WebSocket-Version': '13' } } : undefined
    )
  }
  const sentKey = headers['sec-websocket-key']
  // HTTP/2 has no key (RFC 8441 §5).
  if (!isHttp2(req) && (sentKey === undefined || !key.test(sentKey))) {
    throw new HandshakeError(
      'HANDSHAKE_KEY',
      `Expected one Sec-WebSocket-Key of 16 bytes in base64; got ${quote(sentKey)}.`
    )
  }
  const extensions = headers['sec-websocket-extensions']
  if (extensions !== undefined && !isExtensionList(extensions)) {
    throw new HandshakeError(
      'HANDSHAKE_EXTENSION',
      `Expected Sec-WebSocket-Extensions to be a list of extensions (RFC 6455 §9.1); got ${quote(extensions)}.`
    )
  }
}

/**
 * RFC 6455 §9.1: `extension-list = 1#(token *( ";" token [ "=" ( token | quoted-string ) ] ))`. A quoted value must be
 * a token without its quotes and escapes. A list may have empty members (RFC 9110 §5.6.1).
 */
const extensionList = (() => {
  const character = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]"
  const token = `${character}+`
  const value = `(?:${token}|"(?:\\\\?${character})+")`
  const extension = `${token}(?:[ \t]*;[ \t]*${token}(?:=${value})?)*`
  return new RegExp(`^[ \t,]*${extension}(?:[ \t]*,[ \t,]*${extension})*[ \t,]*$`)
})()

/** Whether a value is a list of extensions. */
export const isExtensionList = (value: string): boolean => extensionList.test(value)
