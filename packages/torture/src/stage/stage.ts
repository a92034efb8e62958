import { existsSync } from 'node:fs'
import { chromium, freePort, type Random } from '@oneport/kit'
import type { Door } from '../client/client.ts'
import { PageBrowser } from '../page/browser.ts'
import { type Event, hasNetwork } from '../plan.ts'
import type { Fault } from '../settings.ts'
import type { StoreName } from '../store.ts'
import { ClusterProcess } from './cluster-process.ts'
import { type Node, NodeProcess } from './node-process.ts'
import { haproxy, isInstalled, nginx, ProxyProcess } from './proxy.ts'
import { RedisCluster } from './redis-cluster.ts'
import { Relay } from './relay.ts'
import { SingleStore } from './single-store.ts'
import type { Store } from './store.ts'

/** How long a repair may take, in milliseconds. */
const repairMs = 30_000

export interface StageOptions {
  readonly nodes: number
  readonly store: StoreName
  /** How many messages each topic keeps. */
  readonly messages: number
  readonly proxies: boolean
  readonly fault: Fault | undefined
  /** Whether there are pages of a browser among the clients. */
  readonly browser: boolean
}

/** Everything between the clients and the store, and what breaks it. */
export class Stage {
  readonly nodes: Node[] = []
  /** Where clients connect: to each proxy and each node, over a relay. */
  readonly doors: Door[] = []
  /** What the pages run in. */
  browser: PageBrowser | undefined
  readonly #proxies: ProxyProcess[] = []
  readonly #relays: Relay[] = []
  /** Between each node and the store. */
  readonly #cables: Relay[] = []
  readonly #work = new Set<Promise<void>>()
  readonly #busy = new Set<unknown>()
  #giveUp = (): void => {}
  readonly #lateness = new Promise<never>((_resolve, reject) => {
    this.#giveUp = () => reject(new Error('What was broken does not work again in time.'))
  })
  #store: Store | undefined

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

  async #open({ nodes, store, messages, proxies, fault, browser }: StageOptions): Promise<void> {
    if (browser) this.browser = await PageBrowser.open()
    const script = this.browser?.script
    const opened = await openStore(store)
    this.#store = opened
    const ports: number[] = []
    for (let index = 0; index < nodes; index++) ports.push(await freePort())
    for (const port of ports) {
      const urls = hasNetwork(store) ? await this.#wire(opened?.urls ?? []) : (opened?.urls ?? [])
      const settings = { port, store, urls, messages, fault, script }
      this.nodes.push(opened instanceof ClusterProcess ? opened.nodeOf(settings) : new NodeProcess(settings))
    }
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

  /** @returns the URLs of a store over networks of their own */
  #wire(urls: readonly string[]): Promise<string[]> {
    return Promise.all(
      urls.map(async (url) => {
        const cabled = new URL(url)
        const cable = new Relay(Number(cabled.port))
        this.#cables.push(cable)
        cabled.port = String(await cable.listen())
        return String(cabled)
      })
    )
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
      case 'cut': {
        const cable = this.#cables[event.node]
        if (cable !== undefined)
          this.#repair(
            cable,
            event.ms,
            async () => cable.cut(),
            async () => cable.heal()
          )
        break
      }
      case 'reset store':
        this.#cables[event.node]?.reset(1, random)
        break
      case 'fail over':
      case 'restart store':
      case 'hang store': {
        const store = this.#store
        if (store !== undefined)
          this.#repair(
            store,
            event.ms,
            () => store.break(event),
            () => store.repair(event)
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
    await this.browser?.close()
    await Promise.all([...this.#relays, ...this.#cables].map((relay) => relay.close()))
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()))
    await Promise.all([...this.nodes.map((node) => node.kill()), this.#store?.stop()])
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

/** Nothing for the memory of the nodes. */
async function openStore(name: StoreName): Promise<Store | undefined> {
  switch (name) {
    case 'memory':
      return undefined
    case 'redis':
      return SingleStore.openRedis()
    case 'redis-cluster':
      return RedisCluster.open()
    case 'postgres':
      return SingleStore.openPostgres()
    case 'cluster':
      return new ClusterProcess()
  }
}

/** The browser of the pages, if it is not installed, and how to get it. */
export const missingBrowser = (): string | undefined =>
  existsSync(chromium.path) ? undefined : `chromium is not installed: apt-get install ${chromium.aptPackage}`

/** The proxies that are not installed, and how to get them. */
export const missingProxies = (): string[] =>
  [nginx, haproxy]
    .filter((kind) => !isInstalled(kind))
    .map(({ program }) => `${program} is not installed: apt-get install ${program}`)
