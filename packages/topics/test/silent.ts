import { EventEmitter } from 'node:events'
import type { WebSocket } from 'ws'
import type { Backplane, Topics } from '../src/index.ts'
import { createTopicsAt } from '../src/topics.ts'

/** A socket without a network, for members by the thousand, and in processes of their own. */
export class Silent extends EventEmitter {
  readonly readyState = 1
  readonly bufferedAmount = 0
  readonly extensions = ''

  send(): void {}
  close(): void {}
  terminate(): void {}
}

/** Serves a client without a network that subscribes to a topic. */
export function serveSilent(topics: Pick<Topics<WebSocket>, 'serve'>, id: string, topic: string): Silent {
  const socket = new Silent()
  const access = { mayRead: () => true, mayPublish: () => true, presence: { id } }
  topics.serve(socket as unknown as WebSocket, access)
  socket.emit('message', Buffer.from(`subscribe - ${topic}`), false)
  return socket
}

/** For a process of its own: a node with one member of a topic. Tells the parent when others can see it. */
export function serveMember(backplane: Backplane, intervalMs: number, id: string, topic: string): void {
  const topics = createTopicsAt(intervalMs, { backplane })
  serveSilent(topics as unknown as Topics<WebSocket>, id, topic)
  const timer = setInterval(() => {
    if (topics.stats().backplane?.topics !== 1) return
    clearInterval(timer)
    process.send?.('ready')
  }, 5)
}
