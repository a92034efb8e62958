import type { Position, Topics } from '@oneport/client'

/** What a client tells its library to do. Payloads stand as in the logs. */
export type Command =
  | { readonly what: 'subscribe'; readonly topic: string; readonly since: 'all' | Position | undefined }
  | { readonly what: 'unsubscribe' | 'watch'; readonly topic: string }
  | { readonly what: 'publish'; readonly topic: string; readonly id: string; readonly payload: string }

/** What its library tells a client. */
export type News =
  | { readonly kind: 'subscribed' | 'gap'; readonly topic: string; readonly position: Position | undefined }
  | {
      readonly kind: 'message'
      readonly topic: string
      readonly position: Position | undefined
      readonly payload: string
    }
  | { readonly kind: 'unsubscribed'; readonly topic: string }
  /** Who is subscribed to a topic. */
  | { readonly kind: 'members'; readonly topic: string; readonly ids: readonly string[] }
  | { readonly kind: 'published'; readonly id: string; readonly offset: number | undefined }
  | { readonly kind: 'not published'; readonly id: string; readonly code: string | undefined; readonly error: string }
  | { readonly kind: 'state'; readonly state: string; readonly transport: string | undefined }
  | { readonly kind: 'trouble'; readonly what: string }

/** Does with `@oneport/client` what it is told, and tells what happens: in this process, and in pages. */
export class Library {
  readonly #topics: Topics
  readonly #tell: (news: News) => void
  readonly #leave = new Map<string, () => void>()

  constructor(topics: Topics, tell: (news: News) => void) {
    this.#topics = topics
    this.#tell = tell
    topics.addEventListener('statechange', () => {
      const { error, state, transport } = topics
      tell({ kind: 'state', state, transport })
      if (error !== undefined) tell({ kind: 'trouble', what: `closed: ${error}` })
    })
  }

  obey(command: Command): void {
    const { topic } = command
    switch (command.what) {
      case 'subscribe':
        this.#subscribe(topic, command.since)
        break
      case 'unsubscribe':
        this.#leave.get(topic)?.()
        this.#leave.delete(topic)
        this.#tell({ kind: 'unsubscribed', topic })
        break
      case 'watch':
        this.#topics.presence(topic, (members) => this.#tell({ kind: 'members', topic, ids: [...members.keys()] }))
        break
      case 'publish': {
        const { id, payload } = command
        this.#topics.publish(topic, dataOf(payload)).then(
          (offset) => this.#tell({ kind: 'published', id, offset }),
          (error: { code?: string }) =>
            this.#tell({ kind: 'not published', id, code: error.code, error: String(error) })
        )
      }
    }
  }

  close(): void {
    this.#topics.close()
  }

  #subscribe(topic: string, since: 'all' | Position | undefined): void {
    const tell = this.#tell
    const leave = this.#topics.subscribe(
      topic,
      (data, position) => tell({ kind: 'message', topic, position, payload: payloadOf(data) }),
      {
        since,
        onSubscribed: (position) => tell({ kind: 'subscribed', topic, position }),
        onGap: ({ to }) => tell({ kind: 'gap', topic, position: to }),
        onError: (error) => tell({ kind: 'trouble', what: String(error) })
      }
    )
    this.#leave.set(topic, leave)
  }
}

const prefix = 'binary '

/** A payload as it stands in the logs, where there may be no `Buffer`. */
const payloadOf = (data: string | Uint8Array): string =>
  typeof data === 'string' ? data : prefix + btoa(String.fromCharCode(...data))

const dataOf = (payload: string): string | Uint8Array =>
  payload.startsWith(prefix)
    ? Uint8Array.from(atob(payload.slice(prefix.length)), (char) => char.charCodeAt(0))
    : payload
