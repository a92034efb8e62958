import type { IncomingMessage, ServerResponse } from 'node:http'
import { handshakeOf, otherCopyOf } from './handshake.ts'
import { answerFailure } from './refuse.ts'
import { logFault } from './reports/log.ts'
import { asError } from './reports/thrown.ts'

/**
 * Answers a handshake when the framework's own error handling cannot, for adapters: a refusal with its status, anything
 * else with 500 after passing it to `onError`. Never throws.
 */
export function answerFault(req: IncomingMessage, res: ServerResponse, thrown: unknown): void {
  const other = otherCopyOf(req)
  if (other !== undefined) other.answerFault(req, res, thrown)
  else answerFailure(asError(thrown), res, handshakeOf(req)?.options.onError ?? logFault)
}
