import type { Timers } from './timers.ts'

/** How the liveness of idle connections is checked. */
export interface HeartbeatOptions {
  /**
   * Time without a received byte after which a connection has got a ping, in milliseconds. The first one may come after
   * half of it, then one comes each time. Keep this below the idle timeout of every proxy.
   * @default 30_000
   */
  intervalMs?: number | undefined
  /**
   * Time that the client has to send anything after a ping before the connection is terminated, in milliseconds.
   * RFC 6455 §5.5.2, §5.5.3.
   * @default 10_000
   */
  timeoutMs?: number | undefined
}

/** What the heartbeat needs of a connection. */
export interface Beating {
  /** Bytes received so far; any byte counts as life. */
  readonly bytesRead: number
  /** Whether nothing can be received because nobody reads. */
  readonly isPaused: boolean
  ping(): void
  /** Ends a connection that shows no life. */
  expire(): void
  /** For the heartbeat's own use; on the connection itself, because a map beside it takes several times the memory. */
  slotOfBeat: number | undefined
  placeInSlot: number
  bytesAtLook: number
  restsAtLook: boolean
}

/** Each connection is looked at twice an interval, so that one which falls silent is pinged before an interval is over. */
const looksPerInterval = 2

/** Looks are spread over this many moments at the most. */
const mostSlots = 120
const shortestTickMs = 10

/**
 * One timer for all connections. Each connection has a slot, which comes round twice an interval, so that ten thousand
 * connections are pinged in many short turns and not in a long one.
 */
export class Heartbeat {
  readonly #slots: Beating[][]
  readonly #tickMs: number
  readonly #timeoutMs: number
  readonly #timers: Timers
  #size = 0
  /** Pinged and not heard of since, with the time at which they are given up; the first one is the first due. */
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
    // Many may come at once: half of them are pinged at their odd looks, the other half at their even ones.
    this.#restsFirst = slot === 0 ? !this.#restsFirst : this.#restsFirst
    connection.slotOfBeat = slot
    connection.bytesAtLook = connection.bytesRead
    connection.restsAtLook = this.#restsFirst
    this.#size++
    this.#timer ??= this.#timers.every(this.#tickMs, () => this.#tick())
  }

  /** A pong is life, and no traffic: the connection is as idle as before it. */
  pong(connection: Beating): void {
    connection.bytesAtLook = connection.bytesRead
    this.#suspects.delete(connection)
  }

  delete(connection: Beating): void {
    if (connection.slotOfBeat === undefined) return
    const connections = this.#slots[connection.slotOfBeat] as Beating[]
    // The last one moves to its place.
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
      // The last look pinged it.
      const rests = connection.restsAtLook && isIdle
      connection.restsAtLook = false
      // What nobody reads cannot be told from silence.
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
