import { readdirSync } from 'node:fs'
import type { Application } from './application.ts'
import { books } from './books.ts'
import { countTimers } from './timers.ts'

/** What a server under test holds at one moment. */
export interface Measurement {
  /** Open WebSockets. */
  readonly open: number
  /** Handshakes that are not answered in full. */
  readonly pending: number
  /** TCP connections. */
  readonly connections: number
  /** What keeps the process alive. */
  readonly resources: number
  /** Timers, where they are counted. */
  readonly timers: number
  /** Listeners on the server and on the process. */
  readonly listeners: number
  /** Bytes of the heap that are in use. */
  readonly heap: number
  /** Handshakes accepted, and connections ended, since the start. */
  readonly accepted: number
  readonly closed: number
  /** Sockets that handlers got since the start. */
  readonly served: number
  /** Requests and sockets that have not told the application their end. */
  readonly unfinished: number
  readonly sockets: number
  /** Open files and connections of the process; 0 where the system does not tell. */
  readonly descriptors: number
  /** Handshakes that the application has not answered in time, since the start. */
  readonly timeouts: number
  /** Connections closed because their clients did not read, since the start. */
  readonly overwhelmed: number
  /** Bytes outside of the heap that JavaScript holds. */
  readonly external: number
}

/** What a server under test is asked for: what it holds, or first to collect garbage, where that is exposed. */
export type Question = 'look' | 'measure'

export async function measure({ server, attachment }: Application, question: Question): Promise<Measurement> {
  const connections = await new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  )
  if (question === 'measure') {
    // What finalizers let go of is free only after the next collection.
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
