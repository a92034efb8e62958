import { randomBytes } from 'node:crypto'
import { openNotice, sealNotice } from '../src/envelope.ts'
import { type HistoryBackplane, MemoryHub, memoryBackplane } from '../src/index.ts'

/** What nodes tell each other over a hub in memory. */
export class Overheard {
  readonly hub = new MemoryHub()
  /** The first line of each notice that was handed over, with the number of its node. */
  readonly notices: string[] = []
  /** The largest notice, in bytes. */
  longest = 0
  /** Notices that are lost on the way. */
  isLost: (line: string) => boolean = () => false
  readonly #stranger = memoryBackplane(this.hub)
  #nodes = 0

  /** A backplane for another node. */
  join(): HistoryBackplane {
    const backplane = memoryBackplane(this.hub)
    const node = this.#nodes++
    return {
      ...backplane,
      publish: async (topic, bytes) => {
        const notice = openNotice(bytes)?.notice
        const line = `${node}: ${notice?.toString().split('\n')[0]}`
        if (notice !== undefined) {
          this.notices.push(line)
          this.longest = Math.max(this.longest, notice.length)
        }
        if (notice === undefined || !this.isLost(line)) await backplane.publish(topic, bytes)
      }
    }
  }

  /** How many notices begin with this. */
  count(start: string): number {
    return this.notices.filter((line) => line.startsWith(start)).length
  }

  /** Sends a notice as a node that nobody knows. */
  inject(topic: string, notice: string | Buffer, node = strangerId): Promise<unknown> {
    return this.#stranger.publish(topic, sealNotice(Buffer.from(notice), node))
  }
}

export const strangerId = randomBytes(8)

/** A backplane whose connection can be cut. Meanwhile nothing arrives, and nothing is sent. */
export function breakable(backplane: HistoryBackplane): HistoryBackplane & { cut(): void; restore(): void } {
  const losses = new Map<string, () => void>()
  let isCut = false
  return {
    ...backplane,
    publish: async (topic, bytes) => {
      if (isCut) throw new Error('The connection is cut.')
      await backplane.publish(topic, bytes)
    },
    subscribe: async (topic, receive, lost = () => {}) => {
      losses.set(topic, () => lost(topic))
      const take: typeof receive = (...args) => {
        if (!isCut) receive(...args)
      }
      await backplane.subscribe(topic, take, lost)
    },
    health: () => (isCut ? 'down' : backplane.health()),
    cut: () => {
      isCut = true
    },
    restore: () => {
      isCut = false
      for (const lose of losses.values()) lose()
    }
  }
}
