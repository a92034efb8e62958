import type { BackplaneHealth } from '@oneport/topics'

/** The connections of one node: one that publishes and one that is subscribed, or two for each shard. */
export interface Connection {
  /** Rejects at once where it is not connected: nothing waits for a server that is away. */
  publish(channel: string, message: Buffer): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  health(): BackplaneHealth
  /** Cuts it. */
  close(): void
}

export interface Events {
  onMessage(channel: string, message: Buffer): void
  onError(error: unknown): void
}

/** The health of a whole, from that of its parts. */
export function healthOf(parts: readonly boolean[]): BackplaneHealth {
  if (parts.every((isReady) => isReady)) return 'up'
  return parts.some((isReady) => isReady) ? 'partial' : 'down'
}
