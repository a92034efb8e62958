/** A progress line in a terminal. Prints nothing if stdout is not a terminal. */
export class Progress {
  readonly #name: string
  readonly #total: number
  readonly #start = performance.now()
  #done = 0
  #shown = 0

  constructor(name: string, total: number) {
    this.#name = name
    this.#total = total
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1_000
  }

  step(): void {
    this.#done++
    if (!process.stdout.isTTY || performance.now() - this.#shown < 200) return
    this.#shown = performance.now()
    const rate = Math.round(this.#done / this.seconds)
    process.stdout.write(
      `\r${this.#name}: ${count(this.#done)} of ${count(this.#total)} connections, ${count(rate)}/s `
    )
  }

  /** Clears the line. */
  end(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  }
}

/** A number with its thousands separated: 1 000 000. */
export const count = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/g, ' ')
