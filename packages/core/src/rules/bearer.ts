import type { IncomingMessage } from 'node:http'
import { HandshakeError } from '../errors.ts'
import { isToken } from '../http-fields.ts'
import { parseSubprotocols } from './subprotocol.ts'

const field = 'sec-websocket-protocol'

/**
 * Moves a bearer token from the offered subprotocols to `Authorization`, where the application looks for it (RFC 6750
 * §2.1). Browsers can set no header field of a handshake except `Sec-WebSocket-Protocol`.
 *
 * The token is removed from the offer, so it cannot be chosen, echoed or logged as a subprotocol.
 * @param prefix the beginning of the offered name; the rest is the token
 * @throws HandshakeError HANDSHAKE_SUBPROTOCOL if the token is empty, there is more than one, or there is also
 *   `Authorization`
 */
export function takeBearerToken(req: Pick<IncomingMessage, 'headers' | 'rawHeaders'>, prefix: string): void {
  const value = req.headers[field]
  // A malformed list is refused later, without quoting it.
  const offered = value === undefined ? undefined : parseSubprotocols(value)
  const carriers = offered?.filter((name) => name.startsWith(prefix)) ?? []
  const [carrier] = carriers
  if (offered === undefined || carrier === undefined) return
  const rest = offered.filter((name) => !name.startsWith(prefix)).join(', ')
  replaceField(req, rest === '' ? undefined : rest)
  if (carriers.length > 1 || carrier === prefix || req.headers.authorization !== undefined) {
    // RFC 6750 §2: a client must not send a token in more than one way.
    throw new HandshakeError('HANDSHAKE_SUBPROTOCOL', `Expected one bearer token, as one subprotocol "${prefix}…".`)
  }
  const authorization = `Bearer ${carrier.slice(prefix.length)}`
  req.headers.authorization = authorization
  req.rawHeaders.push('Authorization', authorization)
}

function replaceField({ headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>, value?: string): void {
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    if (rawHeaders[index]?.toLowerCase() === field) rawHeaders.splice(index, 2)
  }
  if (value === undefined) {
    delete headers[field]
  } else {
    headers[field] = value
    rawHeaders.push('Sec-WebSocket-Protocol', value)
  }
}

/** Whether a value is valid for the option `bearerSubprotocol`. */
export const isBearerPrefix = (value: unknown): value is string => typeof value === 'string' && isToken(value)
