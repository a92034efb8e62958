import { timeOf } from '../rules/credential.ts'
import type { WebSocket } from '../websocket.ts'
import { connectionOf } from './contained-socket.ts'

/** Moves the end of a credential where this copy of core has opened the socket; undefined where it has not. */
export function renewOwn(socket: object, expiresAt: Date | number): boolean | undefined {
  const connection = connectionOf(socket as WebSocket)
  return connection?.renewUntil(timeOf(expiresAt))
}
