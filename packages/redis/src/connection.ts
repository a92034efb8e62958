import type { BackplaneHealth } from '@oneport/topics'

/** The connections of one node: one to publish and one to subscribe, on a Cluster for each shard. */
export interface Connection {
  /** Whether topics and their keys belong to slots. */
  readonly isCluster: boolean
  /** Rejects at once if it is not connected: no message waits for a server that is unreachable. */
  publish(channel: string, message: Buffer): Promise<unknown>
  /** Sends a command for the server of a key. Rejects like `publish`. Strings in the reply are Buffers. */
  command(key: string, words: readonly (string | Buffer)[]): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  health(): BackplaneHealth
  /** Disconnects at once. */
  close(): void
}

export interface Events {
  onMessage(channel: string, message: Buffer): void
  /** Called when a channel is subscribed again, after messages may have been lost. */
  onLost(channel: string): void
  onError(error: unknown): void
}

/** The health of several connections together. */
export function healthOf(parts: readonly boolean[]): BackplaneHealth {
  if (parts.every((isReady) => isReady)) return 'up'
  return parts.some((isReady) => isReady) ? 'partial' : 'down'
}
