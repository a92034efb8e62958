import type { IncomingMessage } from 'node:http'
import { HandshakeError } from '../errors.ts'
import { isToken } from '../http-fields.ts'
import { parseSubprotocols } from './subprotocol.ts'

const field = 'sec-websocket-protocol'

/**
 * Takes a bearer token out of the offered subprotocols and puts it where the application looks for one: in
 * `Authorization` (RFC 6750 §2.1). A browser can set no other field of a handshake than `Sec-WebSocket-Protocol`.
 *
 * The request holds no trace of it in the offer afterwards, so it can't be chosen, echoed or logged as a subprotocol.
 * @param prefix what the offered name begins with; the rest is the token
 * @throws HandshakeError HANDSHAKE_SUBPROTOCOL for an empty token, for more than one, and beside `Authorization`
 */
export function takeBearerToken(req: Pick<IncomingMessage, 'headers' | 'rawHeaders'>, prefix: string): void {
  const value = req.headers[field]
  // A malformed list is refused later, without a word of it.
  const offered = value === undefined ? undefined : parseSubprotocols(value)
  const carriers = offered?.filter((name) => name.startsWith(prefix)) ?? []
  const [carrier] = carriers
  if (offered === undefined || carrier === undefined) return
  const rest = offered.filter((name) => !name.startsWith(prefix)).join(', ')
  replaceField(req, rest === '' ? undefined : rest)
  if (carriers.length > 1 || carrier === prefix || req.headers.authorization !== undefined) {
    // RFC 6750 §2: a client must not send it in more than one way.
    throw new HandshakeError('HANDSHAKE_SUBPROTOCOL', `One bearer token is expected, as one subprotocol "${prefix}…".`)
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

/** Whether a value may be the option `bearerSubprotocol`. */
export const isBearerPrefix = (value: unknown): value is string => typeof value === 'string' && isToken(value)
