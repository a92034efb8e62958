import type { WebSocket } from 'ws'
import { timeOf } from '../rules/credential.ts'
import { show } from '../show.ts'
import { connectionOf } from './contained-socket.ts'

/**
 * Moves the end of a connection's credential, as after a fresh login over the connection itself.
 * @param expiresAt a `Date`, or milliseconds since 1970; Infinity for never
 * @returns false where the connection is closing already
 * @throws TypeError for a socket that was not accepted here, and for anything but a time
 */
export function renew(socket: WebSocket, expiresAt: Date | number): boolean {
  const connection = typeof socket === 'object' && socket !== null ? connectionOf(socket) : undefined
  if (connection === undefined) {
    throw new TypeError(`renew: expected a socket that acceptWebSocket() has opened; got ${show(socket)}`)
  }
  return connection.renewUntil(timeOf(expiresAt))
}
