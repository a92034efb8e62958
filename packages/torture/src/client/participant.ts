/** What a client sees of who is subscribed to a topic. */
export interface View {
  readonly topic: string
  /** Their IDs; undefined if it has not been told yet. */
  readonly ids: readonly string[] | undefined
}

/** A client in a run, whoever has written it. */
export interface Participant {
  readonly name: string
  readonly topics: readonly string[]
  /** What others see of it where it is subscribed. Tabs that share a connection are one. */
  readonly id: string
  /** What it sees of the others; undefined if it does not watch, or sees what one process knows. */
  readonly view: View | undefined
  /** Numbers of what has happened to it. */
  readonly reconnects: number
  readonly deliveries: number
  readonly gaps: number
  readonly acknowledged: number
  /** Number of messages that were not acknowledged, and may still be. */
  readonly unacknowledged: number
  /** Number of messages that were given up, so that nobody knows whether they were published. */
  readonly abandoned: number
  /** Stays connected until `leave`. Never rejects. */
  stay(): Promise<void>
  leave(): void
  /** Does not read for a while. */
  doze(ms: number): Promise<void>
  /** Unsubscribes from a topic, and subscribes again after a while. */
  part(ms: number): Promise<void>
  /** Loads its page again, if it is one, at once or after a while. */
  reload(ms: number): Promise<void>
  /** Number of requests that wait for an answer. */
  readonly unanswered: number
  /** Reports requests that should have been answered. */
  checkAnswers(): void
  publish(topic: string, payload: string | Buffer): void
  /** Where the client is in a topic, as in `since` of the protocol. */
  sinceOf(topic: string): string
}
