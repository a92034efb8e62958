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

/** What the other copies of core in the process may call of this one, beside `attach`. */
export const calls: Omit<Copy, 'attach'> = {
  version,
  agree: (req, options, handler, framework) => agree(req as IncomingMessage, options, handler as never, framework),
  checkHandshake: (req, options, framework) => checkHandshake(req as IncomingMessage, options, framework),
  limitPending: (req, effective, framework) => limitPending(req as IncomingMessage, effective, framework),
  answerFault: (req, res, thrown) => answerFault(req as IncomingMessage, res as ServerResponse, thrown),
  renew: renewOwn
}

/**
 * Moves the end of a connection's credential, as after a fresh login over the connection itself.
 * @param expiresAt a `Date`, or milliseconds since 1970; Infinity for never
 * @returns false where the connection is closing already
 * @throws TypeError for a socket that was not accepted here, and for anything but a time
 */
export function renew(socket: WebSocket, expiresAt: Date | number): boolean {
  if (typeof socket === 'object' && socket !== null) {
    for (const one of [calls, ...allCopies()]) {
      const renewed = checking('renew', () => one.renew(socket, expiresAt), renew)
      if (renewed !== undefined) return renewed
    }
  }
  throw new TypeError(`renew: expected a socket that acceptWebSocket() has opened; got ${show(socket)}`)
}
