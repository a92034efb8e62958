import { setTimeout as sleep } from 'node:timers/promises'
import { connectTopics } from '@oneport/client'
import type { Random } from '@oneport/kit'
import { WebSocket } from 'ws'
import type { TransportName } from '../journal.ts'
import type { Door } from './client.ts'
import { deflate } from './deflate.ts'
import type { Host, Owner } from './host.ts'
import { type Command, Library } from './library.ts'
import { patience } from './patience.ts'

export interface ProcessHostOptions {
  readonly doors: readonly Door[]
  readonly transports: readonly TransportName[]
  readonly random: Random
}

/** Runs the library in this process. */
export class ProcessHost implements Host {
  readonly isAway = false
  readonly #owner: Owner
  readonly #options: ProcessHostOptions
  readonly #sockets = new Set<WebSocket>()
  #library: Library | undefined

  constructor(owner: Owner, options: ProcessHostOptions) {
    this.#owner = owner
    this.#options = options
  }

  async open(): Promise<void> {
    const { doors, random, transports } = this.#options
    const sockets = this.#sockets
    class Pausable extends WebSocket {
      constructor(url: string, protocols?: string | string[]) {
        super(url, protocols, { perMessageDeflate: random.chance(0.1) && deflate })
        sockets.add(this)
        this.on('close', () => sockets.delete(this))
      }
    }
    const owner = this.#owner
    const topics = connectTopics(() => `ws://127.0.0.1:${random.pick(doors).port}/topics?client=${owner.name}`, {
      transports,
      webSocket: Pausable,
      ...patience
    })
    const library = new Library(topics, (news) => owner.hear(news))
    for (const command of owner.beginning()) library.obey(command)
    this.#library = library
  }

  obey(command: Command): void {
    this.#library?.obey(command)
  }

  async doze(ms: number): Promise<void> {
    const sockets = [...this.#sockets].filter(({ readyState }) => readyState === WebSocket.OPEN)
    for (const socket of sockets) socket.pause()
    await sleep(ms)
    for (const socket of sockets) socket.resume()
  }

  /** Only pages do. */
  async reload(): Promise<void> {}

  async close(): Promise<void> {
    this.#library?.close()
  }
}
