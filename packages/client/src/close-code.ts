/**
 * What to do about a close code, or about the HTTP status of a refused handshake:
 *
 * - `end`: the server is done, as the client is when it calls `close()`
 * - `stop`: no attempt can succeed
 * - `token`: another token may help
 * - `spread`: come back, but not all at the same moment
 * - `retry`: come back
 */
export type Advice = 'end' | 'stop' | 'token' | 'spread' | 'retry'

/**
 * Codes from 4400 to 4499 stand for the statuses from 400 to 499.
 *
 * A 404 or 426 counts only if there has never been a connection: afterwards it is a server that is starting. A healthy
 * endpoint answers an ordinary request with 426 too, so it takes two of them to tell that handshakes do not arrive.
 *
 * @param code a close code (RFC 6455 §7.4) or a status
 * @param earlier that of the previous attempt
 * @param wasOpen whether there has been a connection
 */
export function adviceFor(code: number, earlier?: number, wasOpen?: boolean): Advice {
  const status = code % 4000
  if (status === 1000) return 'end'
  if (status === 401) return 'token'
  if (status === 403 || status === 1008) return 'stop'
  if (!wasOpen && (status === 404 || (status === 426 && code === earlier))) return 'stop'
  // Going Away, Service Restart, Try Again Later.
  return [1001, 1012, 1013].includes(status) ? 'spread' : 'retry'
}
