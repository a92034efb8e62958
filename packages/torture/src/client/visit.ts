import type { TransportName } from '../journal.ts'

/** A message that a client wants to be published. */
export interface Outgoing {
  readonly topic: string
  readonly id: string
  readonly payload: string | Buffer
}

/** What a connection needs from its client. */
export interface Visitor {
  readonly name: string
  /** Those that it wants at the moment. */
  readonly wanted: readonly string[]
  /** How long a request may take, in milliseconds. */
  readonly answerMs: number
  /** Where the client goes on in a topic, as in `since` of the protocol. */
  sinceOf(topic: string): string
  /** Called before the client asks for a topic. */
  ask(topic: string): void
  /** Called before the client unsubscribes from a topic. */
  dismiss(topic: string): void
  hear(answer: string | Buffer): void
  /** Called with the positions that the server names for the client, in the order of the topics that it has asked for. */
  compare(topics: readonly string[], positions: string): void
  trouble(what: string): void
}

/** One connection of a client, or for polls a chain of them. */
export interface Visit {
  readonly by: TransportName
  /** Resolves when the connection is lost. Never rejects. */
  readonly ended: Promise<void>
  /** Publishes over this connection, and returns whether it was open; undefined if publishing takes a POST. */
  readonly publish: ((message: Outgoing) => boolean) | undefined
  /** Asks again for a topic that was refused. */
  askAgain(topic: string): void
  /** Called when the visitor wants a topic no more, or again. */
  change(topic: string): void
  /** Stops to read for a while. */
  pause(): void
  resume(): void
  end(): void
}

/** Begins a visit at the door with this port. */
export type Transport = (port: number, visitor: Visitor) => Visit

/** The URL of the topics, with everything that a client over plain HTTP asks for. */
export function urlOf(port: number, { name, sinceOf }: Visitor, topics: readonly string[]): string {
  const query = new URLSearchParams({ client: name })
  for (const topic of topics) query.append('topic', topic)
  query.set('since', topics.map((topic) => sinceOf(topic)).join())
  return `http://127.0.0.1:${port}/topics?${query}`
}

/** Reports why a request has failed, unless its connection was lost, or the client has left. */
export function judgeFailure(visitor: Pick<Visitor, 'trouble'>, what: string, error: unknown): void {
  const { name, message } = error as Error
  if (name === 'AbortError' || message === 'fetch failed' || message === 'terminated') return
  visitor.trouble(name === 'TimeoutError' ? `no answer to ${what} in time` : String(error))
}

/** Statuses of proxies whose server is away, and of a server that is closing. */
const passing = [502, 503, 504]

export function judgeStatus(visitor: Pick<Visitor, 'trouble'>, status: number, text: string): void {
  if (!passing.includes(status)) visitor.trouble(`status ${status}: ${text}`)
}
