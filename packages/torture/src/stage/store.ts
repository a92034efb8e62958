import type { StoreEvent } from '../plan.ts'

/** A store, and what breaks it. */
export interface Store {
  /** Where nodes find it. */
  readonly urls: readonly string[]
  break(event: StoreEvent): Promise<void>
  /** Gets it running again, whatever the event has broken. */
  repair(event: StoreEvent): Promise<void>
  stop(): Promise<void>
}
