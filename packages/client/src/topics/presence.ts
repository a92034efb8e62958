/** Somebody who is subscribed to a topic. */
export interface Member {
  /** Who it is. */
  readonly id: string
  /** What the server tells about them. */
  readonly info?: unknown
}

type Listener = (members: ReadonlyMap<string, Member>) => void

/** Who is present in a topic. */
export class Presence {
  /** Whether the server was asked on this connection. */
  isAsked = false
  readonly #listeners = new Set<Listener>()
  #members: Map<string, Member> | undefined

  /** @returns what takes the listener out, and returns how many are left */
  add(onChange: Listener): () => number {
    const listener: Listener = (members) => onChange(members)
    this.#listeners.add(listener)
    if (this.#members !== undefined) listener(this.#members)
    return () => {
      this.#listeners.delete(listener)
      return this.#listeners.size
    }
  }

  /** @throws if it is not what the protocol says */
  hear(kind: 'present' | 'joined' | 'left', value: Member[] | Member): void {
    if (Array.isArray(value) !== (kind === 'present')) throw new SyntaxError(`malformed answer: ${kind}`)
    const members = new Map(kind === 'present' ? [] : this.#members)
    for (const member of [value].flat()) {
      if (kind === 'left') members.delete(member.id)
      else members.set(member.id, member)
    }
    this.#members = members
    for (const listener of this.#listeners) listener(members)
  }
}
