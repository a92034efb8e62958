import { PostgresServer, RedisServer } from '@oneport/kit'
import type { StoreEvent } from '../plan.ts'
import type { Store } from './store.ts'

/** What Redis and PostgreSQL have in common. */
interface Server {
  /** Starts a server that was killed, or continues one that was paused. */
  start(): Promise<void>
  kill(): Promise<void>
  pause(): void
  /** Copies its data, while it is not running. */
  save(name: string): string
  putBack(copy: string): void
  stop(): Promise<void>
}

/** A store on one server, which writes down its data. */
export class SingleStore implements Store {
  readonly urls: readonly string[]
  readonly #server: Server
  readonly #nothing: string
  /** The data at an earlier time. */
  #older: string

  private constructor(server: Server, url: string) {
    this.urls = [url]
    this.#server = server
    this.#nothing = server.save('nothing')
    this.#older = this.#nothing
  }

  static async openRedis(): Promise<SingleStore> {
    const server = await RedisServer.start('--appendonly', 'yes')
    return SingleStore.#open(server, server.url)
  }

  static async openPostgres(): Promise<SingleStore> {
    const server = await PostgresServer.start()
    return SingleStore.#open(server, server.url())
  }

  static async #open(server: Server, url: string): Promise<SingleStore> {
    await server.kill()
    const store = new SingleStore(server, url)
    await server.start()
    return store
  }

  async break(event: StoreEvent): Promise<void> {
    if (event.what === 'hang store') this.#server.pause()
    if (event.what !== 'restart store') return
    await this.#server.kill()
    if (event.data === 'lost') this.#server.putBack(this.#nothing)
    else if (event.data === 'older') this.#server.putBack(this.#older)
    else this.#older = this.#server.save('older')
  }

  async repair(): Promise<void> {
    await this.#server.start()
  }

  async stop(): Promise<void> {
    await this.#server.stop()
  }
}
