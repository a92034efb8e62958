/** How a client is connected. */
export type TransportName = 'websocket' | 'stream' | 'poll'

/** What happened to a client. */
export type Happening =
  | { readonly kind: 'connect'; readonly by: TransportName; readonly door: string }
  | { readonly kind: 'lost' }
  | { readonly kind: 'ask'; readonly topic: string; readonly since: string }
  | {
      readonly kind: 'subscribed'
      readonly topic: string
      readonly epoch: string
      readonly offset: number
      readonly beginning: string
    }
  | { readonly kind: 'unsubscribed'; readonly topic: string }
  | { readonly kind: 'message'; readonly topic: string; readonly offset: number; readonly payload: string }
  | { readonly kind: 'gap'; readonly topic: string; readonly epoch: string; readonly offset: number }
  | { readonly kind: 'send'; readonly topic: string; readonly id: string; readonly payload: string }
  | { readonly kind: 'published'; readonly id: string; readonly offset: number }
  /** Something that must not happen, whatever breaks. */
  | { readonly kind: 'trouble'; readonly what: string }

/** A happening and when it was: numbers of one run, in their order over all clients. */
export type Entry = Happening & { readonly at: number }

/** What one client saw. */
export interface Log {
  readonly name: string
  readonly entries: readonly Entry[]
}

/** Numbers what happens in a run. */
export class Clock {
  #now = 0

  next(): number {
    return ++this.#now
  }
}

/** Writes the log of one client. */
export class Journal implements Log {
  readonly name: string
  readonly entries: Entry[] = []
  readonly #clock: Clock

  constructor(name: string, clock: Clock) {
    this.name = name
    this.#clock = clock
  }

  write(happening: Happening): void {
    this.entries.push({ ...happening, at: this.#clock.next() })
  }
}

const longest = 40

const shortened = (text: string): string =>
  JSON.stringify(text.length > longest ? `${text.slice(0, longest)}… (${text.length})` : text)

/** An entry as a line of text. */
export function lineOf(name: string, entry: Entry): string {
  const { at, kind, ...rest } = entry
  const fields = Object.entries(rest).map(
    ([key, value]) => `${key} ${key === 'payload' ? shortened(String(value)) : value}`
  )
  return `#${at} ${name}: ${kind} ${fields.join(', ')}`.trimEnd()
}
