import type { Since } from '../serve/requests.ts'

/** Follows the answers to a client, and knows from where it has to go on in each of its topics. */
export class Positions {
  readonly #topics: readonly string[]
  readonly #epochs: string[]
  /** As in `since` of the protocol. */
  readonly #since: string[]

  /**
   * @param topics in the order in which {@link toString} lists them
   * @param since where the client goes on in each, until it learns where it is
   */
  constructor(topics: readonly string[], since: readonly (Since | undefined)[]) {
    this.#topics = topics
    this.#epochs = topics.map(() => '-')
    this.#since = since.map(sinceText)
  }

  /**
   * @param header the header line of an answer
   * @returns whether the client has moved
   */
  take(header: string): boolean {
    const fields = header.split(' ')
    const [kind, first = '', second = ''] = fields
    switch (kind) {
      case 'message':
        return this.#move(fields.slice(2), undefined, first)
      case 'gap':
        return this.#move(fields.slice(3), first, second)
      case 'subscribed':
        return this.#move(fields.slice(4), first, second)
      default:
        return false
    }
  }

  /** The position in each topic, as in `since` of the protocol, separated by commas. */
  toString(): string {
    return this.#since.join()
  }

  #move(words: readonly string[], epoch: string | undefined, offset: string): boolean {
    const index = this.#topics.indexOf(words.join(' '))
    if (index === -1 || offset === '-') return false
    if (epoch !== undefined) this.#epochs[index] = epoch
    this.#since[index] = `${this.#epochs[index]}:${offset}`
    return true
  }
}

/** As in the protocol. */
function sinceText(since: Since | undefined): string {
  if (since === undefined) return '-'
  return since === 'all' ? since : `${since.epoch}:${since.offset}`
}
