/** The requests of a client that were not answered yet. */
export class Unanswered {
  readonly #since = new Map<string, number>()

  get size(): number {
    return this.#since.size
  }

  has(what: string): boolean {
    return this.#since.has(what)
  }

  ask(what: string): void {
    this.#since.set(what, performance.now())
  }

  answer(what: string): void {
    this.#since.delete(what)
  }

  /** The connection was lost, and with it the answers. */
  clear(): void {
    this.#since.clear()
  }

  /** Those that have waited for longer than this, in milliseconds. */
  overdue(ms: number): string[] {
    const from = performance.now() - ms
    return [...this.#since].filter(([, since]) => since < from).map(([what]) => what)
  }
}
