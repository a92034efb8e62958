import type { Answer } from './answer.ts'
import type { Desk } from './desk.ts'
import type { Position, Reader, Since } from './feed.ts'
import type { Outgoing, Wire } from './wire.ts'

/** What a tab asks the one that has the connection. */
export type Request =
  | { readonly kind: 'subscribe'; readonly topic: string; readonly since: string }
  | { readonly kind: 'unsubscribe' | 'watch'; readonly topic: string }
  | ({ readonly kind: 'publish' } & Pick<Outgoing, 'id' | 'topic' | 'data' | 'endsAt'>)

/** The way to the server that a tab has. */
export const guestWire = (ask: (request: Request) => void): Wire => ({
  subscribe: (topic, since) => ask({ kind: 'subscribe', topic, since }),
  unsubscribe: (topic) => ask({ kind: 'unsubscribe', topic }),
  watch: (topic) => ask({ kind: 'watch', topic }),
  publish: ({ id, topic, data, endsAt }) => ask({ kind: 'publish', id, topic, data, endsAt }),
  again() {},
  close() {}
})

/** No topic begins with it. */
const watching = '\n'

/** A tab, as the one that has the connection sees it. */
export class Guest {
  readonly #desk: Desk
  readonly #tell: (answer: Answer) => void
  readonly #stops = new Map<string, () => void>()
  #hasLeft = false

  constructor(desk: Desk, tell: (answer: Answer) => void) {
    this.#desk = desk
    this.#tell = tell
  }

  handle(request: Request): void {
    const { kind, topic } = request
    const answer: Tell = (kind, fields, payload = '') => {
      if (!this.#hasLeft) this.#tell({ kind, topic, fields, payload })
    }
    switch (kind) {
      case 'subscribe':
        this.#stop(topic)
        this.#stops.set(topic, this.#desk.subscribe(topic, reader(placeOf(request.since), answer)))
        break
      case 'unsubscribe':
        this.#stop(topic)
        this.#stop(watching + topic)
        answer('unsubscribed', [])
        break
      case 'watch':
        this.#stop(watching + topic)
        this.#stops.set(
          watching + topic,
          this.#desk.watch(topic, (members) => answer('present', [], JSON.stringify([...members.values()])))
        )
        break
      case 'publish': {
        const { id, data, endsAt } = request
        // The tab counts the time too: it may have to send the message to another tab.
        const onFirst = (endsAt: number): void => answer('sent', [id, String(endsAt)])
        this.#desk.publish(topic, data, { id, endsAt, onFirst }).then(
          (offset) => answer('published', [id, String(offset ?? '-')]),
          ({ code }) => answer('error', [code, 'publish', id])
        )
      }
    }
  }

  leave(): void {
    for (const stop of this.#stops.values()) stop()
    this.#hasLeft = true
  }

  #stop(what: string): void {
    this.#stops.get(what)?.()
    this.#stops.delete(what)
  }
}

type Tell = (kind: string, fields: string[], payload?: Answer['payload']) => void

/** Passes a topic on to a tab. There is one answer to its request; what comes after that is about no other request. */
function reader(place: Since, answer: Tell): Reader {
  let isAnswered = false
  const fieldsOf = (position: Position | undefined): string[] => [
    position?.epoch ?? '-',
    String(position?.offset ?? '-')
  ]
  const begin = (position: Position | undefined, beginning: string): void => {
    isAnswered = true
    answer('subscribed', [...fieldsOf(position), beginning])
  }
  return {
    place,
    onMessage: (data, position) => answer('message', [String(position?.offset ?? '-')], data),
    onSubscribed: (position) => {
      if (!isAnswered) begin(position, 'new')
    },
    onGap: ({ to }) => (isAnswered ? answer('gap', fieldsOf(to)) : begin(to, 'gap')),
    onError: ({ code }) => answer('error', [code, 'subscribe', '-'])
  }
}

function placeOf(since: string): Since {
  const [epoch = '', offset] = since.split(':')
  return offset === undefined ? (since as Since) : { epoch, offset: Number(offset) }
}
