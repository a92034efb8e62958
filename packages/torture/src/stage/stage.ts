import type { Door } from '../client/client.ts'
import type { Event } from '../plan.ts'
import type { Random } from '../random.ts'
import type { Fault } from '../settings.ts'
import type { StoreName } from '../store.ts'
import { NodeProcess } from './node-process.ts'
import { freePort } from './port.ts'
import { haproxy, isInstalled, nginx, ProxyProcess } from './proxy.ts'
import { RedisProcess } from './redis-process.ts'
import { Relay } from './relay.ts'

/** How long a repair may take, in milliseconds. */
const repairMs = 30_000

export interface StageOptions {
  readonly nodes: number
  readonly store: StoreName
  /** How many messages each topic keeps. */
  readonly messages: number
  readonly proxies: boolean
  readonly fault: Fault | undefined
}

/** Everything between the clients and the store, and what breaks it. */
export class Stage {
  readonly nodes: NodeProcess[] = []
  /** Where clients connect: to each proxy and each node, over a relay. */
  readonly doors: Door[] = []
  readonly #proxies: ProxyProcess[] = []
  readonly #relays: Relay[] = []
  readonly #work = new Set<Promise<void>>()
  readonly #busy = new Set<unknown>()
  #giveUp = (): void => {}
  readonly #lateness = new Promise<never>((_resolve, reject) => {
    this.#giveUp = () => reject(new Error('What was broken does not work again in time.'))
  })
  #redis: RedisProcess | undefined

  static async open(options: StageOptions): Promise<Stage> {
    const stage = new Stage()
    try {
      await stage.#open(options)
    } catch (error) {
      await stage.close()
      throw error
    }
    return stage
  }

  async #open({ nodes, store, messages, proxies, fault }: StageOptions): Promise<void> {
    if (store === 'redis') {
      this.#redis = new RedisProcess(await freePort())
      await this.#redis.start()
      this.#redis.copy()
    }
    const url = this.#redis?.url ?? ''
    const ports: number[] = []
    for (let index = 0; index < nodes; index++) ports.push(await freePort())
    for (const port of ports) this.nodes.push(new NodeProcess({ port, store, url, messages, fault }))
    await Promise.all(this.nodes.map((node) => node.start()))
    for (const kind of proxies ? [nginx, haproxy].filter(isInstalled) : []) {
      const proxy = new ProxyProcess(kind, await freePort(), ports)
      this.#proxies.push(proxy)
      await proxy.listening()
    }
    const targets = [
      ...this.#proxies.map(({ kind, port }) => ({ name: kind.program, port })),
      ...ports.map((port, index) => ({ name: `node ${index}`, port }))
    ]
    for (const { name, port } of targets) {
      const relay = new Relay(port)
      this.#relays.push(relay)
      this.doors.push({ name, port: await relay.listen() })
    }
  }

  /** Breaks something, and has it repaired later. What is broken already is left alone. */
  perform(event: Event, random: Random): void {
    switch (event.what) {
      case 'reset':
        for (const relay of this.#relays) relay.reset(event.share, random)
        break
      case 'kill node': {
        const node = this.nodes[event.node]
        if (node !== undefined)
          this.#repair(
            node,
            event.ms,
            () => node.kill(),
            () => node.start()
          )
        break
      }
      case 'reload': {
        const proxy = this.#proxies[event.proxy]
        if (proxy !== undefined)
          this.#repair(
            proxy,
            0,
            () => proxy.reload(),
            async () => {}
          )
        break
      }
      case 'copy store':
        if (!this.#busy.has(this.#redis)) this.#redis?.copy()
        break
      case 'restart store': {
        const redis = this.#redis
        if (redis !== undefined)
          this.#repair(
            redis,
            event.ms,
            () => stop(redis, event.data),
            () => redis.start()
          )
        break
      }
      case 'hang store': {
        const redis = this.#redis
        if (redis !== undefined)
          this.#repair(
            redis,
            event.ms,
            async () => redis.hang(),
            async () => redis.wake()
          )
      }
    }
  }

  /** Resolves when everything that was broken works again. @throws Error if that takes too long */
  async repaired(): Promise<void> {
    const late = setTimeout(() => this.#giveUp(), repairMs)
    while (this.#work.size > 0) await Promise.race([this.#lateness, Promise.all(this.#work)])
    clearTimeout(late)
  }

  async close(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.close()))
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()))
    await Promise.all(this.nodes.map((node) => node.kill()))
    await this.#redis?.stop()
  }

  #repair(what: unknown, ms: number, breakIt: () => Promise<void>, repair: () => Promise<void>): void {
    if (this.#busy.has(what)) return
    this.#busy.add(what)
    const work = (async () => {
      await breakIt()
      await new Promise((resolve) => setTimeout(resolve, ms))
      await repair()
    })().finally(() => {
      this.#busy.delete(what)
      this.#work.delete(work)
    })
    this.#work.add(work)
    // `repaired` reports it.
    work.catch(() => {})
  }
}

async function stop(redis: RedisProcess, data: 'kept' | 'lost' | 'older'): Promise<void> {
  await redis.kill()
  if (data === 'lost') redis.forget()
  if (data === 'older') redis.restore()
}

/** The proxies that are not installed, and how to get them. */
export const missingProxies = (): string[] =>
  [nginx, haproxy]
    .filter((kind) => !isInstalled(kind))
    .map(({ program }) => `${program} is not installed: apt-get install ${program}`)
