import { timeOf } from '../rules/credential.ts'
import type { WebSocket } from '../websocket.ts'
import { connectionOf } from './contained-socket.ts'

/** Changes when a credential expires. @returns undefined if another copy of core opened the socket */
export function renewOwn(socket: object, expiresAt: Date | number): boolean | undefined {
  const connection = connectionOf(socket as WebSocket)
  return connection?.renewUntil(timeOf(expiresAt))
}
