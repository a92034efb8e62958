/** One line that is written over and over in a terminal; nothing is written elsewhere. */
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

  /** Counts one more. */
  step(): void {
    this.#done++
    if (!process.stdout.isTTY || performance.now() - this.#shown < 200) return
    this.#shown = performance.now()
    const rate = Math.round(this.#done / this.seconds)
    process.stdout.write(
      `\r${this.#name}: ${count(this.#done)} of ${count(this.#total)} connections, ${count(rate)}/s `
    )
  }

  /** Takes the line away. */
  end(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  }
}

/** A number as people read it: 1 000 000. */
export const count = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/g, ' ')
