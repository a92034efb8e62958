/** How the liveness of idle connections is checked. */
export interface HeartbeatOptions {
  /**
   * Time without a received byte after which a connection gets a ping, in milliseconds; between one and two of these
   * may pass before the first one, then one comes each time. Keep twice this below the idle timeout of every proxy.
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
}

/** Pings are spread over this many moments of the interval at the most. */
const mostSlots = 120
const shortestTickMs = 10

interface Pulse {
  readonly slot: number
  bytesRead: number
}

/**
 * One timer for all connections. Each connection has a slot, which comes round once an interval, so that ten thousand
 * connections are pinged in a hundred and twenty short turns and not in a long one.
 */
export class Heartbeat {
  readonly #slots: Set<Beating>[]
  readonly #tickMs: number
  readonly #timeoutMs: number
  readonly #pulses = new Map<Beating, Pulse>()
  /** Pinged and not heard of since, with the time at which they are given up; the first one is the first due. */
  readonly #suspects = new Map<Beating, number>()
  #turn = 0
  #nextSlot = 0
  #timer: NodeJS.Timeout | undefined

  constructor({ intervalMs, timeoutMs }: { readonly intervalMs: number; readonly timeoutMs: number }) {
    const count = Math.max(1, Math.min(mostSlots, Math.floor(intervalMs / shortestTickMs)))
    this.#slots = Array.from({ length: count }, () => new Set())
    this.#tickMs = intervalMs / count
    this.#timeoutMs = timeoutMs
  }

  add(connection: Beating): void {
    const slot = this.#nextSlot
    this.#nextSlot = (slot + 1) % this.#slots.length
    this.#slots[slot]?.add(connection)
    this.#pulses.set(connection, { slot, bytesRead: connection.bytesRead })
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs).unref()
  }

  /** A pong is life, and no traffic: the connection is as idle as before it. */
  pong(connection: Beating): void {
    const pulse = this.#pulses.get(connection)
    if (pulse !== undefined) pulse.bytesRead = connection.bytesRead
    this.#suspects.delete(connection)
  }

  delete(connection: Beating): void {
    const pulse = this.#pulses.get(connection)
    if (pulse === undefined) return
    this.#slots[pulse.slot]?.delete(connection)
    this.#pulses.delete(connection)
    this.#suspects.delete(connection)
    if (this.#pulses.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = performance.now()
    this.#giveUp(now)
    this.#turn = (this.#turn + 1) % this.#slots.length
    for (const connection of this.#slots[this.#turn] as Set<Beating>) {
      const pulse = this.#pulses.get(connection) as Pulse
      const isIdle = connection.bytesRead === pulse.bytesRead
      pulse.bytesRead = connection.bytesRead
      if (!isIdle) this.#suspects.delete(connection)
      // What nobody reads cannot be told from silence.
      if (!isIdle || connection.isPaused || this.#suspects.has(connection)) continue
      this.#suspects.set(connection, now + this.#timeoutMs)
      connection.ping()
    }
  }

  #giveUp(now: number): void {
    for (const [connection, due] of this.#suspects) {
      if (due > now) return
      this.#suspects.delete(connection)
      const pulse = this.#pulses.get(connection) as Pulse
      if (connection.bytesRead === pulse.bytesRead && !connection.isPaused) connection.expire()
    }
  }
}
