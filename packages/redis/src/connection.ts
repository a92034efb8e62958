import type { BackplaneHealth } from '@oneport/topics'

/** The connections of one node: one to publish and one to subscribe, on a Cluster for each shard. */
export interface Connection {
  /** Rejects at once if it is not connected: no message waits for a server that is unreachable. */
  publish(channel: string, message: Buffer): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  health(): BackplaneHealth
  /** Disconnects at once. */
  close(): void
}

export interface Events {
  onMessage(channel: string, message: Buffer): void
  onError(error: unknown): void
}

/** The health of several connections together. */
export function healthOf(parts: readonly boolean[]): BackplaneHealth {
  if (parts.every((isReady) => isReady)) return 'up'
  return parts.some((isReady) => isReady) ? 'partial' : 'down'
}
