import { readdirSync } from 'node:fs'
import type { Application } from './application.ts'
import { books } from './books.ts'
import { countTimers } from './timers.ts'

/** What a server under test holds at one moment. */
export interface Measurement {
  /** Open WebSockets. */
  readonly open: number
  /** Handshakes without a complete answer. */
  readonly pending: number
  /** TCP connections. */
  readonly connections: number
  /** What keeps the process alive. */
  readonly resources: number
  /** Timers, if they are counted. */
  readonly timers: number
  /** Listeners on the server and on the process. */
  readonly listeners: number
  /** Bytes of the heap in use. */
  readonly heap: number
  /** Handshakes accepted and connections closed since the start. */
  readonly accepted: number
  readonly closed: number
  /** Sockets passed to handlers since the start. */
  readonly served: number
  /** Requests and sockets without an end event so far. */
  readonly unfinished: number
  readonly sockets: number
  /** Open files and connections of the process; 0 if the system does not say. */
  readonly descriptors: number
  /** Handshakes that the application did not answer in time, since the start. */
  readonly timeouts: number
  /** Connections closed because their clients did not read, since the start. */
  readonly overwhelmed: number
  /** Bytes that JavaScript holds outside the heap. */
  readonly external: number
}

/** A question for a server under test: what it holds, with `measure` after a garbage collection if that is exposed. */
export type Question = 'look' | 'measure'

export async function measure({ server, attachment }: Application, question: Question): Promise<Measurement> {
  const connections = await new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  )
  if (question === 'measure') {
    // What finalizers release is only freed by the next collection.
    globalThis.gc?.()
    globalThis.gc?.()
  }
  const { open, pending, accepted, closed, refused, terminated } = attachment.stats()
  const { heapUsed, external } = process.memoryUsage()
  return {
    open,
    pending,
    connections,
    resources: process.getActiveResourcesInfo().length,
    timers: countTimers(),
    listeners: countListeners(server) + countListeners(process),
    heap: heapUsed,
    external,
    accepted,
    closed: Object.values(closed).reduce((sum, count) => sum + count, 0),
    ...books,
    descriptors: countDescriptors(),
    overwhelmed: terminated.backpressure,
    timeouts: refused.HANDSHAKE_TIMEOUT ?? 0
  }
}

const countListeners = (emitter: NodeJS.EventEmitter): number =>
  emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)

function countDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
