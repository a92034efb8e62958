const burst = 8
const refillMs = 1_000

/** How many people are remembered; whoever has said nothing for the longest time is forgotten first. */
const maxPeople = 10_000

interface Left {
  readonly messages: number
  readonly at: number
}

/** How many messages each person may still send: eight at once, then one a second. */
export class Allowance {
  /** In the order of the last messages. */
  readonly #left = new Map<string, Left>()

  /**
   * @param now in milliseconds
   * @returns false if none is left
   */
  take(nickname: string, now: number): boolean {
    const { messages, at } = this.#left.get(nickname) ?? { messages: burst, at: now }
    const left = Math.min(burst, messages + (now - at) / refillMs)
    const isAllowed = left >= 1
    this.#left.delete(nickname)
    this.#left.set(nickname, { messages: isAllowed ? left - 1 : left, at: now })
    const [longestSilent] = this.#left.keys()
    if (this.#left.size > maxPeople && longestSilent !== undefined) this.#left.delete(longestSilent)
    return isAllowed
  }
}
