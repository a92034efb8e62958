import { createHash } from 'node:crypto'
import type { Connection } from './connection.ts'

type Word = string | Buffer

/**
 * Runs a script by its hash where the server knows it. Where that is not sure, it sends the text: if it tried the hash
 * first, later calls could overtake those that the server has refused. https://redis.io/docs/latest/develop/programmability/eval-intro/#script-cache
 */
export class Script {
  readonly #text: string
  readonly #hash: string
  /** Slots on whose server the script has run. */
  readonly #known = new Set<number>()

  constructor(text: string) {
    this.#text = text
    this.#hash = createHash('sha1').update(text).digest('hex')
  }

  async run(connection: Connection, slot: number, keys: readonly string[], args: readonly Word[]): Promise<unknown> {
    const words = [String(keys.length), ...keys, ...args]
    const key = keys[0] as string
    const byText = (): Promise<unknown> => connection.command(key, ['EVAL', this.#text, ...words])
    const byHash = async (): Promise<unknown> => {
      try {
        return await connection.command(key, ['EVALSHA', this.#hash, ...words])
      } catch (error) {
        this.#known.delete(slot)
        if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return byText()
        throw error
      }
    }
    const reply = await (this.#known.has(slot) ? byHash() : byText())
    this.#known.add(slot)
    return reply
  }

  /** To call when a connection was lost: the server may have restarted. */
  forget(): void {
    this.#known.clear()
  }
}
