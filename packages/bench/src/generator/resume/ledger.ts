/** A message, by its topic and its number there. The first has 1. */
export interface Numbered {
  readonly topic: string
  readonly number: number
}

/** The text of a message, 256 characters long. */
export const writeMessage = ({ topic, number }: Numbered): string => `${topic} ${number} `.padEnd(256, 'x')

/** @throws Error for something else */
export function readMessage(text: string): Numbered {
  const [topic = '', number] = text.split(' ', 2)
  if (!Number.isInteger(Number(number))) throw new Error(`Not a message: ${text.slice(0, 80)}`)
  return { topic, number: Number(number) }
}

/** Which messages have arrived. */
export class Ledger {
  /** How often one has arrived again. */
  doubled = 0
  readonly #numbers = new Map<string, Set<number>>()

  add({ topic, number }: Numbered): void {
    const numbers = this.#numbers.get(topic) ?? new Set()
    if (numbers.has(number)) this.doubled++
    this.#numbers.set(topic, numbers.add(number))
  }

  /** Whether a message is missing, though a later one of its topic has arrived. */
  hasHole(topic: string): boolean {
    const numbers = this.#numbers.get(topic)
    return numbers !== undefined && Math.max(...numbers) > numbers.size
  }

  /** How many of the first messages of a topic are missing here. */
  missing(topic: string, first: number): number {
    const numbers = this.#numbers.get(topic)
    let count = 0
    for (let number = 1; number <= first; number++) if (numbers?.has(number) !== true) count++
    return count
  }
}
