import type { Events } from './connection.ts'

interface Connectable {
  on(event: 'error' | 'node error' | 'nodeError', listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
}

/** Connects. A failure is also emitted as `error`, and ioredis retries. */
export function begin(connections: readonly Connectable[], onError: Events['onError']): void {
  for (const connection of connections) {
    // A Cluster emits the last two for errors of its nodes.
    for (const event of ['error', 'node error', 'nodeError'] as const) connection.on(event, onError)
    connection.connect().catch(() => {})
  }
}
