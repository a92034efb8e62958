import type { IncomingMessage, ServerResponse } from 'node:http'
import { agree } from './accept.ts'
import { answerFault } from './answer-fault.ts'
import { renewOwn } from './life/renew.ts'
import { checking } from './options/checks.ts'
import { allCopies, type Copy } from './registry.ts'
import { checkHandshake, limitPending } from './rules/rules.ts'
import { show } from './show.ts'
import { version } from './version.ts'
import type { WebSocket } from './websocket.ts'

/** The functions of this copy, except `attach`, that other copies of core in the process can call. */
export const calls: Omit<Copy, 'attach'> = {
  version,
  agree: (req, options, handler, framework) => agree(req as IncomingMessage, options, handler as never, framework),
  checkHandshake: (req, options, framework) => checkHandshake(req as IncomingMessage, options, framework),
  limitPending: (req, effective, framework) => limitPending(req as IncomingMessage, effective, framework),
  answerFault: (req, res, thrown) => answerFault(req as IncomingMessage, res as ServerResponse, thrown),
  renew: renewOwn
}

/**
 * Changes when the credential of a connection expires, for example after a new login over the connection itself.
 * @param expiresAt a `Date`, or milliseconds since 1970; `Infinity` for never
 * @returns false if the connection is already closing
 * @throws TypeError if the socket was not opened by `acceptWebSocket`, or `expiresAt` is not a time
 */
export function renew(socket: WebSocket, expiresAt: Date | number): boolean {
  if (typeof socket === 'object' && socket !== null) {
    for (const one of [calls, ...allCopies()]) {
      const renewed = checking('renew', () => one.renew(socket, expiresAt), renew)
      if (renewed !== undefined) return renewed
    }
  }
  throw new TypeError(`renew: expected a socket that was opened by acceptWebSocket(); got ${show(socket)}`)
}
