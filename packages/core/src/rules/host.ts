import type { IncomingMessage } from 'node:http'
import { HandshakeError } from '../errors.ts'
import { countFields } from '../http-fields.ts'
import { quote } from '../show.ts'

/** RFC 9110 §7.2, RFC 3986 §3.2.2: a name, an IPv4 or a bracketed IPv6 address, and a port. */
const hostAndPort = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::\d*)?$/

/**
 * Checks `Host`. Node leaves this out on requests that ask for an upgrade.
 * @throws HandshakeError HANDSHAKE_HOST
 */
export function validateHost(req: Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersionMajor'>): void {
  const { host } = req.headers
  // On HTTP/2 it is the pseudo-header `:authority`, of which there is one.
  const count = req.httpVersionMajor >= 2 ? 1 : countFields(req.rawHeaders, 'host')
  if (count === 1 && host !== undefined && hostAndPort.test(host)) return
  const came = count === 1 ? quote(host) : `${count} of them`
  throw new HandshakeError('HANDSHAKE_HOST', `One valid field "Host" is expected (RFC 9112 §3.2); ${came} came.`)
}
