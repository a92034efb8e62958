import type { Events } from './connection.ts'

interface Connectable {
  on(event: 'error' | 'node error' | 'nodeError', listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
}

/** Connects. What fails is told by `error` too, and ioredis tries again by itself. */
export function begin(connections: readonly Connectable[], onError: Events['onError']): void {
  for (const connection of connections) {
    // The others are those of the nodes of a Cluster.
    for (const event of ['error', 'node error', 'nodeError'] as const) connection.on(event, onError)
    connection.connect().catch(() => {})
  }
}
