import { type IncomingMessage, type OutgoingHttpHeaders, STATUS_CODES } from 'node:http'
import type { TLSSocket } from 'node:tls'

/** What `verifyClient` is asked about. */
export interface VerifyClientInfo {
  /** The field `Origin`; undefined where there is none, whatever the type of `ws` says. */
  readonly origin: string
  /** Whether the connection is a TLS connection. */
  readonly secure: boolean
  readonly req: IncomingMessage
}

/** Lets a client in, or refuses it: `callback(false, 403, 'Not you.')`. Without a status the answer is 401. */
export type VerifyClientCallback = (
  verified: boolean,
  code?: number,
  message?: string,
  headers?: OutgoingHttpHeaders
) => void

/**
 * Decides whether a handshake may go on: it returns that, or a promise of it. One with two parameters calls back
 * instead.
 */
export type VerifyClient = (info: VerifyClientInfo, callback: VerifyClientCallback) => unknown

/** What to answer where `verifyClient` refuses. */
export interface ClientRefusal {
  readonly status: number
  readonly message: string | undefined
  readonly headers: OutgoingHttpHeaders
}

/**
 * Asks `verifyClient` as `ws` does, but waits for a promise, which with `ws` would let everybody in.
 * @returns a promise of the refusal, or of undefined where the client may come in; it rejects with what `verifyClient`
 *   throws or rejects with
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
    // `ws` goes by the number of parameters too.
    const callsBack = verifyClient.length === 2
    const answer = Promise.resolve(verifyClient(info, (...verdict) => resolve(verdict)))
    answer.then((verified) => callsBack || resolve([Boolean(verified)]), reject)
  })
}
