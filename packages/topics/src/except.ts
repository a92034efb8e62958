import { isSet } from 'node:util/types'
import { expected } from './errors.ts'
import type { TopicSocket } from './socket.ts'

/** A socket, or several. */
export type Except<Socket extends TopicSocket = TopicSocket> = Socket | Iterable<Socket>

/**
 * Sockets that do not get a message. The lookup runs no application code, so nothing throws in the middle of a
 * delivery.
 */
export type Excepted = TopicSocket | Set<TopicSocket> | undefined

const isSocket = (value: unknown): value is TopicSocket =>
  typeof (value as Partial<TopicSocket> | null)?.send === 'function'

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value

/** @throws TypeError for anything but a socket, several sockets or none */
export function exceptedOf(except: Except | null | undefined): Excepted {
  if (except === undefined || except === null) return undefined
  if (isSocket(except)) return except
  if (isSet(except)) return except as Set<TopicSocket>
  if (!isIterable(except)) throw expected('publish: except', 'a WebSocket of ws, or several in a Set or a list', except)
  const sockets = new Set<TopicSocket>()
  for (const socket of except) {
    if (!isSocket(socket)) throw expected('publish: except', 'a list of WebSockets of ws', socket)
    sockets.add(socket)
  }
  return sockets
}

const { has } = Set.prototype

export const isExcepted = (socket: TopicSocket, excepted: Excepted): boolean =>
  excepted === socket || (excepted !== undefined && isSet(excepted) && has.call(excepted, socket))
