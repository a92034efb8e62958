import { type IncomingMessage, type OutgoingHttpHeaders, STATUS_CODES } from 'node:http'
import type { TLSSocket } from 'node:tls'

/** What `verifyClient` is called with. */
export interface VerifyClientInfo {
  /** The header field `Origin`. Undefined if there is none, although the type of `ws` does not say so. */
  readonly origin: string
  /** Whether the connection uses TLS. */
  readonly secure: boolean
  /** The opening handshake. */
  readonly req: IncomingMessage
}

/** Accepts a client, or refuses it: `callback(false, 403, 'Not you.')`. The default status is 401. */
export type VerifyClientCallback = (
  verified: boolean,
  code?: number,
  message?: string,
  headers?: OutgoingHttpHeaders
) => void

/**
 * Decides whether to accept a client. Returns a boolean or a promise of one. A function with two parameters calls the
 * callback instead.
 */
export type VerifyClient = (info: VerifyClientInfo, callback: VerifyClientCallback) => unknown

/** The answer to a client that `verifyClient` refuses. */
export interface ClientRefusal {
  /** Its status code. */
  readonly status: number
  /** Its body. */
  readonly message: string | undefined
  /** Its header fields. */
  readonly headers: OutgoingHttpHeaders
}

/**
 * Calls `verifyClient` as `ws` does, but waits for a promise. In `ws`, a promise is truthy and so accepts every client.
 * @returns a promise of the refusal, or of undefined if the client is accepted. It rejects if `verifyClient` throws or
 *   rejects.
 */
export async function askVerifyClient(
  verifyClient: VerifyClient,
  req: IncomingMessage
): Promise<ClientRefusal | undefined> {
  const [verified, status = 401, message = STATUS_CODES[status], headers = {}] = await ask(verifyClient, req)
  return verified ? undefined : { status, message, headers }
}

function ask(verifyClient: VerifyClient, req: IncomingMessage): Promise<Parameters<VerifyClientCallback>> {
  const { authorized, encrypted } = req.socket as Partial<TLSSocket>
  const secure = Boolean(authorized || encrypted)
  const info: VerifyClientInfo = { origin: req.headers.origin as string, secure, req }
  return new Promise((resolve, reject) => {
    // `ws` decides by the number of parameters too.
    const callsBack = verifyClient.length === 2
    const answer = Promise.resolve(verifyClient(info, (...verdict) => resolve(verdict)))
    answer.then((verified) => callsBack || resolve([Boolean(verified)]), reject)
  })
}
