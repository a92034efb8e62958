import { isSet } from 'node:util/types'
import type { WebSocket } from 'ws'
import { expected } from './errors.ts'

/** A socket, or several. */
export type Except = WebSocket | Iterable<WebSocket>

/** Whom a message leaves out. Asking it runs no code of the application, so that nothing throws in mid-delivery. */
export type Excepted = WebSocket | Set<WebSocket> | undefined

const isSocket = (value: unknown): value is WebSocket =>
  typeof (value as Partial<WebSocket> | null)?.send === 'function'

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value

/** @throws TypeError for anything but a socket, several or none */
export function exceptedOf(except: Except | null | undefined): Excepted {
  if (except === undefined || except === null) return undefined
  if (isSocket(except)) return except
  if (isSet(except)) return except as Set<WebSocket>
  if (!isIterable(except)) throw expected('except', 'a WebSocket of ws, or several in a Set or a list', except)
  const sockets = new Set<WebSocket>()
  for (const socket of except) {
    if (!isSocket(socket)) throw expected('except', 'a list of WebSockets of ws', socket)
    sockets.add(socket)
  }
  return sockets
}

const { has } = Set.prototype

export const isExcepted = (socket: WebSocket, excepted: Excepted): boolean =>
  excepted === socket || (excepted !== undefined && isSet(excepted) && has.call(excepted, socket))
