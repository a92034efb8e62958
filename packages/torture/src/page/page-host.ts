import { setTimeout as sleep } from 'node:timers/promises'
import type { Transport } from '@oneport/client'
import type { Random } from '@oneport/kit'
import type { CDPSession, Page } from 'playwright-core'
import type { Host, Owner } from '../client/host.ts'
import type { Command } from '../client/library.ts'
import { patience } from '../client/patience.ts'
import type { Fault } from '../settings.ts'
import type { Seat } from './seats.ts'
import type { Start, Told } from './told.ts'

export interface PageHostOptions extends Seat {
  readonly transports: readonly Transport[]
  readonly persist: boolean
  readonly random: Random
  readonly fault: Fault | undefined
}

/** How long a page may take to load, and the delays before it is tried again, in milliseconds. */
const [loadMs, shortestMs, longestMs] = [10_000, 20, 250]

/** Runs the library in a page of a browser. */
export class PageHost implements Host {
  readonly #owner: Owner
  readonly #options: PageHostOptions
  #page: Page | undefined
  #session: CDPSession | undefined
  /** Whether a library hears what it is told, and whether something is done to the page. */
  #isOpen = false
  #isBusy = true
  #isClosed = false
  /** How often this document has told something, and whether it was left. */
  #number = 0
  #saidBye = true

  constructor(owner: Owner, options: PageHostOptions) {
    this.#owner = owner
    this.#options = options
  }

  async open(): Promise<void> {
    await this.#do(async () => {
      const context = await this.#options.context
      const page = await context.newPage()
      const session = await context.newCDPSession(page)
      this.#page = page
      this.#session = session
      page.on('pageerror', (error) => this.#trouble(`an error in the page: ${error.stack}`))
      page.on('crash', () => this.#trouble('the page has crashed'))
      session.on('Runtime.bindingCalled', ({ payload }) => this.#hear(JSON.parse(payload) as Told))
      await session.send('Runtime.enable')
      await session.send('Runtime.addBinding', { name: 'tell' })
      await this.#load(page)
    })
  }

  /** A browser takes its time: more than a second that was asked for. */
  get isAway(): boolean {
    return this.#isBusy
  }

  obey(command: Command): void {
    if (!this.#isOpen) this.#owner.lost(command)
    else this.#evaluate(`obey(${JSON.stringify(command)})`).catch(() => this.#owner.lost(command))
  }

  /** Stops the page, as a laptop that sleeps does, or takes away its network. */
  async doze(ms: number): Promise<void> {
    const session = this.#session
    if (this.#isBusy || session === undefined) return
    const { random, share } = this.#options
    // The tabs that share a connection run in one process, and would stop together.
    const isCut = share !== undefined || random.chance(0.5)
    await this.#do(() => (isCut ? this.#cut(ms) : stop(session, ms)))
  }

  /** Loads the page again, at once or after it has been away for a while. */
  async reload(ms: number): Promise<void> {
    const page = this.#page
    if (this.#isBusy || page === undefined) return
    await this.#do(async () => {
      this.#isOpen = false
      if (ms > 0) {
        await page.goto('about:blank')
        await sleep(ms)
      }
      await this.#load(page)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#isOpen = false
    await this.#page?.close().catch(() => {})
  }

  /** Does something that takes a while, and that the end of the page ends. */
  async #do(work: () => Promise<void>): Promise<void> {
    this.#isBusy = true
    try {
      await work()
    } catch (error) {
      if (!this.#isClosed) this.#trouble(String(error))
    } finally {
      this.#isBusy = false
    }
  }

  /** Cuts its network. A browser that Chromium takes for offline would keep a processor busy. */
  async #cut(ms: number): Promise<void> {
    const { network, random } = this.#options
    network.cut()
    await sleep(ms)
    network.heal()
    // Browsers tell of some networks that are back, and not of those that were out of reach for a while.
    if (random.chance(0.5)) await this.#evaluate(`dispatchEvent(new Event('online'))`)
  }

  async #load(page: Page): Promise<void> {
    const { fault, persist, port, random, share, transports } = this.#options
    const url = `http://127.0.0.1:${await port}/page`
    while (!(await this.#isServed(url)) || !(await this.#loads(page, url))) {
      await sleep(random.between(shortestMs, longestMs))
    }
    for (const told of JSON.parse(await page.evaluate<string>('lastWords()')) as Told[]) {
      if (told.number > this.#number) this.#hear(told)
    }
    if (!this.#saidBye) this.#trouble('a page was left and has not said so')
    if (this.#number > 0) this.#owner.lose()
    this.#number = 0
    this.#saidBye = false
    const start: Start = {
      url: `/topics?client=${share ?? this.#owner.name}`,
      options: { transports, persist, share: share ?? false, ...patience },
      commands: this.#owner.beginning(),
      fault
    }
    this.#isOpen = true
    await this.#evaluate(`start(${JSON.stringify(start)})`)
  }

  /**
   * Whether the page is served. If an error page takes its place first, Chromium often loses what the page before stores
   * in `pagehide`: its last words.
   */
  async #isServed(url: string): Promise<boolean> {
    if (this.#isClosed) throw new Error('The page is closed.')
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(loadMs) })
      await response.body?.cancel()
      return response.ok
    } catch {
      return false
    }
  }

  /** Whether the page has loaded: the node may be down, or a proxy says that it is. */
  async #loads(page: Page, url: string): Promise<boolean> {
    try {
      const response = await page.goto(url, { timeout: loadMs })
      return response?.ok() === true && (await page.evaluate<boolean>('window.start !== undefined'))
    } catch (error) {
      if (this.#isClosed) throw error
      return false
    }
  }

  #hear({ number, news }: Told): void {
    if (number !== ++this.#number)
      this.#trouble(`a page tells something for the ${number}. and not ${this.#number}. time`)
    if (news === 'bye') this.#saidBye = true
    else this.#owner.hear(news)
  }

  /** @throws Error if the page does not know how */
  async #evaluate(expression: string): Promise<void> {
    const { exceptionDetails } = (await this.#session?.send('Runtime.evaluate', { expression })) ?? {}
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
  }

  #trouble(what: string): void {
    this.#owner.hear({ kind: 'trouble', what })
  }
}

/** Chromium freezes no page that Playwright has it show, but a debugger stops it: nothing runs, and what arrives waits. */
async function stop(session: CDPSession, ms: number): Promise<void> {
  await session.send('Debugger.enable')
  await session.send('Debugger.pause')
  await sleep(ms)
  await session.send('Debugger.disable')
}
