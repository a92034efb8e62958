import type { Server, Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

const sampleMs = 20
const quietMs = 100

/** What a server takes in from here on, and by how much its memory grows at most. */
export class Intake {
  readonly #server: Server
  readonly #sockets: Socket[] = []
  readonly #rssBefore = process.memoryUsage.rss()
  readonly #timer = setInterval(() => this.#sample(), sampleMs)
  readonly #add = (socket: Socket): number => this.#sockets.push(socket)
  #worstRss = 0

  constructor(server: Server) {
    this.#server = server
    server.on('connection', this.#add)
  }

  /** Resolves when nothing has arrived for a while. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.#bytes; ) {
      before = this.#bytes
      await sleep(quietMs)
      // Only now has everything been read that arrived while the process was busy.
      await nextTurn()
    }
  }

  end(): { rssGrownBytes: number } {
    clearInterval(this.#timer)
    this.#server.off('connection', this.#add)
    this.#sample()
    return { rssGrownBytes: this.#worstRss - this.#rssBefore }
  }

  get #bytes(): number {
    return this.#sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0)
  }

  #sample(): void {
    this.#worstRss = Math.max(this.#worstRss, process.memoryUsage.rss())
  }
}
