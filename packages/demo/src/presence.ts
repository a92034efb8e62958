import { randomUUID } from 'node:crypto'
import type { Backplane } from '@oneport/topics'

/** The topic of all processes. No room can have this name. */
const topic = '*processes'

/** Nicknames by room. */
export type People = ReadonlyMap<string, readonly string[]>

/** What a process tells the others. */
interface Told {
  readonly process: string
  readonly people: readonly (readonly [room: string, nicknames: readonly string[]])[]
  /** Whether the others should answer with their people: this process has just started. */
  readonly asks: boolean
}

export interface PresenceOptions {
  /** Time between two messages of a process while nothing changes, in milliseconds. */
  readonly beatMs: number
  /** Time after which a silent process counts as dead, in milliseconds. */
  readonly patienceMs: number
}

const defaults: PresenceOptions = { beatMs: 2_000, patienceMs: 7_000 }

/**
 * Who is in the rooms of the other processes. Nothing is stored in Redis: each process tells the others who is in its rooms,
 * after each change and every two seconds, and forgets processes that fall silent. So the people of a killed process disappear,
 * and after an outage of Redis everyone reappears.
 */
export class Presence {
  readonly #id = randomUUID()
  readonly #backplane: Backplane
  readonly #own: () => People
  readonly #onChange: (rooms: readonly string[]) => void
  readonly #patienceMs: number
  readonly #timer: NodeJS.Timeout
  readonly #others = new Map<string, { people: People; heardAt: number }>()
  #isSubscribed = false
  #isTelling = false
  #isClosed = false

  /**
   * @param own who is in the rooms of this process
   * @param onChange called with the rooms that people of other processes have entered or left
   */
  constructor(
    backplane: Backplane,
    own: () => People,
    onChange: (rooms: readonly string[]) => void,
    { beatMs, patienceMs }: PresenceOptions = defaults
  ) {
    this.#backplane = backplane
    this.#own = own
    this.#onChange = onChange
    this.#patienceMs = patienceMs
    this.#timer = setInterval(() => this.#beat(), beatMs).unref()
    void this.#subscribe()
  }

  /** The people of each other process. */
  get others(): People[] {
    return Array.from(this.#others.values(), ({ people }) => people)
  }

  /** Tells the others who is here: once per turn of the event loop, however often it is called. */
  tell(): void {
    if (this.#isTelling) return
    this.#isTelling = true
    setImmediate(() => {
      this.#isTelling = false
      if (!this.#isClosed) this.#say(this.#own())
    })
  }

  /** Tells the others that everyone has left, and closes the backplane. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#say(new Map())
    await this.#backplane.close()
  }

  #beat(): void {
    if (!this.#isSubscribed) void this.#subscribe()
    this.tell()
    for (const [id, { heardAt }] of this.#others) {
      if (performance.now() - heardAt > this.#patienceMs) this.#take(id, new Map())
    }
  }

  async #subscribe(): Promise<void> {
    this.#isSubscribed = true
    try {
      await this.#backplane.subscribe(topic, (message) => this.#hear(message))
      if (!this.#isClosed) this.#say(this.#own(), true)
    } catch {
      // The backplane has reported it. The next beat tries again.
      this.#isSubscribed = false
    }
  }

  #hear(message: Buffer): void {
    const told = read(message)
    if (told === undefined || told.process === this.#id || this.#isClosed) return
    this.#take(told.process, new Map(told.people))
    if (told.asks) this.tell()
  }

  #take(id: string, people: People): void {
    const before: People = this.#others.get(id)?.people ?? new Map()
    if (people.size === 0) this.#others.delete(id)
    else this.#others.set(id, { people, heardAt: performance.now() })
    const changed = [...new Set([...before.keys(), ...people.keys()])].filter(
      (room) => JSON.stringify(before.get(room)) !== JSON.stringify(people.get(room))
    )
    if (changed.length > 0) this.#onChange(changed)
  }

  /** A lost message does no harm: the next one has everything. */
  #say(people: People, asks = false): void {
    const told: Told = { process: this.#id, people: [...people], asks }
    this.#backplane.publish(topic, Buffer.from(JSON.stringify(told))).catch(() => {})
  }
}

/** @returns undefined if it is not a message of this demo */
function read(message: Buffer): Told | undefined {
  try {
    const told = JSON.parse(message.toString()) as Told
    const isTold = typeof told.process === 'string' && told.people.every(isRoom) && typeof told.asks === 'boolean'
    return isTold ? told : undefined
  } catch {
    return undefined
  }
}

const isRoom = ([name, nicknames]: Told['people'][number]): boolean =>
  typeof name === 'string' && nicknames.every((nickname) => typeof nickname === 'string')
