/** How many entries there may be, in all topics together. */
export class Room {
  readonly #most: number
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  get taken(): number {
    return this.#taken
  }

  get isFull(): boolean {
    return this.#taken >= this.#most
  }

  /** @returns false if there is no room */
  take(): boolean {
    if (this.isFull) return false
    this.#taken++
    return true
  }

  free(): void {
    this.#taken--
  }
}
