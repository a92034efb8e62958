import type { Answer } from './answer.ts'

/** A message on its way to the server. */
export interface Outgoing {
  readonly id: string
  readonly topic: string
  readonly data: string | Uint8Array<ArrayBuffer>
  /** Until when it may be sent, in milliseconds since 1970; undefined before the first time. */
  readonly endsAt: number | undefined
  /** Whether it must not be sent any more. */
  readonly isOver: boolean
  /** Called before it is sent. Only the first time counts. */
  begin(): void
}

/** A way to the server. It comes back by itself when the connection is lost. */
export interface Wire {
  /** Subscribes to a topic, or goes on from elsewhere. */
  subscribe(topic: string, since: string): void
  unsubscribe(topic: string): void
  /** Asks who is present. */
  watch(topic: string): void
  publish(message: Outgoing): void
  /** Tries at once, or on a new connection. */
  again(): void
  close(): void
}

/** What a way to the server needs from the client, and tells it. */
export interface Listener {
  /** For requests that name all topics: where to go on in each of them. */
  ask(wire: Wire): readonly (readonly [topic: string, since: string])[]
  /** Whether to ask who is present. */
  readonly isWatching: boolean
  /** The connection works, and nothing has been asked on it. */
  up(wire: Wire): void
  /** The connection is lost, or could not be made. */
  down(wire: Wire): void
  /** The server has answered. @throws if the answer is wrong */
  hear(wire: Wire, answer: Answer | undefined): void
  /** There will never be a connection. */
  fail(wire: Wire, error: Error): void
}
