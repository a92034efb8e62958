import type { Timers } from './timers.ts'

/** How to check that idle clients are still there. */
export interface HeartbeatOptions {
  /**
   * How often an idle client gets a ping, in milliseconds: at the latest this long after the last byte that it sent.
   * The first ping may come after half that time. Keep this below the idle timeout of every proxy. RFC 6455 §5.5.2.
   * @default 30_000
   */
  intervalMs?: number | undefined
  /**
   * Time that a client has to answer a ping before its connection is terminated, in milliseconds. Any data counts as an
   * answer. RFC 6455 §5.5.3.
   * @default 10_000
   */
  timeoutMs?: number | undefined
}

/** What the heartbeat needs of a connection. */
export interface Beating {
  /** Bytes received so far. Any byte is a sign of life. */
  readonly bytesRead: number
  /** Whether nothing can be received because reading is paused. */
  readonly isPaused: boolean
  ping(): void
  /** Terminates a connection that shows no sign of life. */
  expire(): void
  /** For the heartbeat's own use. Kept on the connection, because a `Map` takes several times the memory. */
  slotOfBeat: number | undefined
  placeInSlot: number
  bytesAtLook: number
  restsAtLook: boolean
}

/** Each connection is checked twice per interval, so that one that falls silent gets its ping within an interval. */
const looksPerInterval = 2

/** The checks of one round are spread over at most this many ticks. */
const mostSlots = 120
const shortestTickMs = 10

/**
 * Sends pings, with one timer for all connections. Each connection has a slot, and each slot has its turn twice per
 * interval, so that ten thousand connections are pinged in many short turns and not in one long one.
 */
export class Heartbeat {
  readonly #slots: Beating[][]
  readonly #tickMs: number
  readonly #timeoutMs: number
  readonly #timers: Timers
  #size = 0
  /**
   * Connections that were pinged and have not answered, with the time at which to give them up; the first due is first.
   */
  readonly #suspects = new Map<Beating, number>()
  #turn = 0
  #nextSlot = 0
  #restsFirst = false
  #timer: NodeJS.Timeout | undefined

  constructor({ intervalMs, timeoutMs }: { readonly intervalMs: number; readonly timeoutMs: number }, timers: Timers) {
    this.#timers = timers
    const roundMs = intervalMs / looksPerInterval
    const count = Math.max(1, Math.min(mostSlots, Math.floor(roundMs / shortestTickMs)))
    this.#slots = Array.from({ length: count }, () => [])
    this.#tickMs = roundMs / count
    this.#timeoutMs = timeoutMs
  }

  add(connection: Beating): void {
    const slot = this.#nextSlot
    this.#nextSlot = (slot + 1) % this.#slots.length
    const connections = this.#slots[slot] as Beating[]
    connection.placeInSlot = connections.push(connection) - 1
    // Many may connect at once. Half of them are pinged at odd checks, the other half at even ones.
    this.#restsFirst = slot === 0 ? !this.#restsFirst : this.#restsFirst
    connection.slotOfBeat = slot
    connection.bytesAtLook = connection.bytesRead
    connection.restsAtLook = this.#restsFirst
    this.#size++
    this.#timer ??= this.#timers.every(this.#tickMs, () => this.#tick())
  }

  /** A pong is a sign of life, but not traffic: the connection is still idle. */
  pong(connection: Beating): void {
    connection.bytesAtLook = connection.bytesRead
    this.#suspects.delete(connection)
  }

  delete(connection: Beating): void {
    if (connection.slotOfBeat === undefined) return
    const connections = this.#slots[connection.slotOfBeat] as Beating[]
    // Move the last one to its place.
    const last = connections.pop() as Beating
    if (last !== connection) {
      connections[connection.placeInSlot] = last
      last.placeInSlot = connection.placeInSlot
    }
    this.#suspects.delete(connection)
    connection.slotOfBeat = undefined
    this.#size--
    if (this.#size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = performance.now()
    this.#giveUp(now)
    this.#turn = (this.#turn + 1) % this.#slots.length
    for (const connection of this.#slots[this.#turn] as Beating[]) {
      const { bytesRead } = connection
      const isIdle = bytesRead === connection.bytesAtLook
      connection.bytesAtLook = bytesRead
      if (!isIdle) this.#suspects.delete(connection)
      // Skip the check after one that sent a ping.
      const rests = connection.restsAtLook && isIdle
      connection.restsAtLook = false
      // A client whose data nobody reads looks the same as a silent one.
      if (!isIdle || rests || connection.isPaused || this.#suspects.has(connection)) continue
      connection.restsAtLook = true
      this.#suspects.set(connection, now + this.#timeoutMs)
      connection.ping()
    }
  }

  #giveUp(now: number): void {
    for (const [connection, due] of this.#suspects) {
      if (due > now) return
      this.#suspects.delete(connection)
      if (connection.bytesRead === connection.bytesAtLook && !connection.isPaused) connection.expire()
    }
  }
}
