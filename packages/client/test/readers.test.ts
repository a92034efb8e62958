import { equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import { type Answer, readAnswer } from '../src/topics/answer.ts'
import { Desk } from '../src/topics/desk.ts'
import { type Gap, type Position, type Since, textOf } from '../src/topics/feed.ts'
import { Guest, guestWire, type Request } from '../src/topics/guest.ts'
import type { Wire } from '../src/topics/wire.ts'

const topic = 'news'

/** What docs/topics-protocol.md says of one topic with history. */
class Server {
  epoch = 'e0'
  last = 0
  /** The oldest message that is kept; `last + 1` if there is none. */
  first = 1
  /** Messages up to these were not sent to a slow client. */
  readonly skipped = new Set<string>()

  answer(request: string): string[] {
    const [kind, since] = request.split(' ')
    if (kind === 'unsubscribe') return [`unsubscribed ${topic}`]
    if (since === '-') return [this.#subscribed(this.last, 'new')]
    const [epoch, offset] = String(since).split(':')
    const isKnown = epoch === this.epoch && Number(offset) >= this.first - 1
    const from = isKnown ? Number(offset) : this.first - 1
    const beginning = since === 'all' ? 'new' : isKnown ? 'resumed' : 'gap'
    const messages = Array.from({ length: this.last - from }, (_, index) => this.message(from + 1 + index))
    return [this.#subscribed(from, beginning), ...messages]
  }

  message(offset: number): string {
    return `message ${offset} ${topic}\n${this.epoch}:${offset}`
  }

  /** The store is lost, and with it everything that was kept. */
  lose(): void {
    this.epoch = `e${Number(this.epoch.slice(1)) + 1}`
    this.last = 0
    this.first = 1
  }

  #subscribed(offset: number, beginning: string): string {
    return `subscribed ${this.epoch} ${offset} ${beginning} ${topic}`
  }
}

/** A connection: what is on its way in each direction. */
class Line implements Wire {
  readonly toServer: string[] = []
  readonly toClient: string[] = []
  /** Whether the server sends the topic. */
  isLive = false

  get isBusy(): boolean {
    return this.toServer.length + this.toClient.length > 0
  }

  subscribe(topic: string, since: string): void {
    this.toServer.push(`subscribe ${since} ${topic}`)
  }

  unsubscribe(topic: string): void {
    this.toServer.push(`unsubscribe ${topic}`)
  }

  watch(): void {}
  publish(): void {}
  again(): void {}
  close(): void {}
}

/** The topic over plain HTTP: each request names everything, and takes the place of the one before. */
class HttpLine extends Line {
  readonly #desk: Desk
  /** Whether to ask again for everything. */
  isDue = true

  constructor(desk: Desk) {
    super()
    this.#desk = desk
  }

  override get isBusy(): boolean {
    return this.isDue || super.isBusy
  }

  override subscribe(): void {
    this.again()
  }

  override unsubscribe(): void {
    this.again()
  }

  /** Also when the connection is lost. */
  override again(): void {
    this.isDue = true
    this.isLive = false
    this.toServer.length = 0
    this.toClient.length = 0
  }

  ask(): void {
    if (!this.isDue) return
    this.isDue = false
    for (const [, since] of this.#desk.ask()) super.subscribe(topic, since)
  }
}

/** Checks everything that one reader is told. */
class Reader {
  readonly leave: () => void
  at: Position | undefined
  hasBegun = false
  readonly #server: Server

  constructor(desk: Desk, server: Server, since: Since) {
    this.#server = server
    if (typeof since === 'object') this.at = since
    this.leave = desk.subscribe(topic, {
      place: since,
      onMessage: (data, position) => {
        ok(this.hasBegun && this.at !== undefined, 'a message before the beginning')
        equal(textOf(position as Position), textOf({ ...this.at, offset: this.at.offset + 1 }))
        equal(data, textOf(position as Position))
        this.at = position
      },
      onSubscribed: (position) => {
        ok(position !== undefined)
        // The answer may have been under way before the reader was there, so `all` can be more than is kept by now.
        const isAll = this.at === undefined && since === 'all' && position.epoch === server.epoch
        if (isAll) ok(position.offset < server.first, `all begins behind ${position.offset}`)
        equal(textOf(position), textOf(this.at ?? position))
        this.at = position
        this.hasBegun = true
      },
      onGap: (gap) => this.#gap(gap),
      onError: (error) => {
        throw error
      }
    })
  }

  #gap({ from, to, missing }: Gap): void {
    ok(this.at !== undefined && from !== undefined && to !== undefined, 'a gap before the beginning')
    equal(textOf(from), textOf(this.at))
    if (from.epoch === to.epoch) {
      equal(missing, to.offset - from.offset)
      ok(missing > 0, 'a gap of nothing')
      const { epoch, first, skipped } = this.#server
      ok(to.epoch !== epoch || to.offset < first || skipped.has(textOf(to)), 'nothing is missing')
    } else {
      equal(missing, undefined)
    }
    this.at = to
  }
}

/** A tab that goes over the connection of another one, and what is on its way between them. */
class Tab {
  readonly desk = new Desk(10)
  #toLeader: Request[] = []
  #toTab: Answer[] = []
  #guest: Guest | undefined

  /** Finds a tab that has a connection. */
  join(leader: Desk): void {
    this.#guest?.leave()
    this.#toLeader = []
    this.#toTab = []
    this.#guest = new Guest(leader, (answer) => void this.#toTab.push(structuredClone(answer)))
    this.desk.use(guestWire((request) => void this.#toLeader.push(request)))
  }

  get isBusy(): boolean {
    return this.#toLeader.length + this.#toTab.length > 0
  }

  ask(): void {
    const request = this.#toLeader.shift()
    if (request !== undefined) this.#guest?.handle(request)
  }

  hear(): void {
    const answer = this.#toTab.shift()
    if (answer !== undefined) this.desk.hear(answer)
  }
}

const kinds = [
  ...['publish', 'publish', 'publish', 'serve', 'serve', 'serve', 'hear', 'hear', 'hear', 'hear'],
  ...['join new', 'join all', 'join behind', 'leave', 'trim', 'skip', 'cut', 'lose']
] as const

const tabKinds = [...kinds, 'tab asks', 'tab asks', 'tab hears', 'tab hears', 'tab hears', 'leader'] as const

type Step = readonly [kind: (typeof tabKinds)[number], choice: number]

const stepsOf = (kinds: readonly Step[0][]): fc.Arbitrary<Step[]> =>
  fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(1_000)), { maxLength: 150, size: 'max' })

function play(steps: readonly Step[], tab?: Tab, isHttp = false): void {
  const server = new Server()
  const readers: Reader[] = []
  let desk = new Desk(10)
  let line: Line = new Line()
  const connect = (): void => {
    desk.use(undefined)
    line = isHttp ? new HttpLine(desk) : new Line()
    desk.use(line)
  }
  const cut = (): void => (isHttp ? line.again() : connect())
  const serve = (): void => {
    if (line instanceof HttpLine) line.ask()
    const request = line.toServer.shift()
    if (request === undefined) return
    line.toClient.push(...server.answer(request))
    line.isLive = request.startsWith('subscribe ')
  }
  const hear = (): void => {
    const answer = line.toClient.shift()
    const read = answer === undefined ? undefined : readAnswer(answer)
    if (read !== undefined) desk.hear(read)
  }
  const join = (since: Since): void => void readers.push(new Reader(tab?.desk ?? desk, server, since))
  const lead = (): void => {
    desk = new Desk(10)
    connect()
    tab?.join(desk)
  }

  lead()
  for (const [kind, choice] of steps) {
    switch (kind) {
      case 'publish':
        server.last++
        if (line.isLive) line.toClient.push(server.message(server.last))
        break
      case 'serve':
        serve()
        break
      case 'hear':
        hear()
        break
      case 'join new':
        join('-')
        break
      case 'join all':
        join('all')
        break
      case 'join behind': {
        const lives = Number(server.epoch.slice(1)) + 1
        join({ epoch: `e${choice % lives}`, offset: choice % (server.last + 1) })
        break
      }
      case 'leave':
        readers.splice(choice % (readers.length + 1), 1)[0]?.leave()
        break
      case 'trim':
        server.first += choice % (server.last + 2 - server.first)
        break
      case 'skip':
        if (!line.isLive) break
        server.last += 1 + (choice % 3)
        line.toClient.push(`gap ${server.epoch} ${server.last} ${topic}`)
        server.skipped.add(textOf({ epoch: server.epoch, offset: server.last }))
        break
      case 'cut':
        cut()
        break
      case 'lose':
        server.lose()
        cut()
        break
      case 'tab asks':
        tab?.ask()
        break
      case 'tab hears':
        tab?.hear()
        break
      case 'leader':
        lead()
    }
  }
  for (let turn = 0; line.isBusy || tab?.isBusy; turn++) {
    ok(turn < 10_000, 'no end of requests')
    serve()
    hear()
    tab?.ask()
    tab?.hear()
  }
  for (const { at, hasBegun } of readers) {
    ok(hasBegun, 'a reader that has not been told that it is subscribed')
    equal(textOf(at as Position), textOf({ epoch: server.epoch, offset: server.last }))
  }
}

describe('readers in different places, whatever happens, get each message once and in order, or are told what is missing', () => {
  test('over a connection of their own', () => {
    fc.assert(
      fc.property(stepsOf(kinds), (steps) => play(steps)),
      { numRuns: 1_000 }
    )
  })

  test('over plain HTTP', () => {
    fc.assert(
      fc.property(stepsOf(kinds), (steps) => play(steps, undefined, true)),
      { numRuns: 1_000 }
    )
  })

  test('over that of another tab, which has plain HTTP', () => {
    fc.assert(
      fc.property(stepsOf(tabKinds), (steps) => play(steps, new Tab(), true)),
      { numRuns: 1_000 }
    )
  })

  test('over that of another tab', () => {
    fc.assert(
      fc.property(stepsOf(tabKinds), (steps) => play(steps, new Tab())),
      { numRuns: 1_000 }
    )
  })
})
