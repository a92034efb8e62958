import type { ResolvedOptions } from '../options/server.ts'
import type { FaultReporter } from '../reports/fault.ts'
import { type ClosedReporter, Stats } from '../reports/stats.ts'
import { Limits } from '../rules/limits.ts'
import type { WebSocket } from '../websocket.ts'
import type { Connection, Home } from './connection.ts'
import { connectionOf } from './contained-socket.ts'
import { Deadlines, type Due } from './deadlines.ts'
import { Expiry } from './expiry.ts'
import { Farewell } from './farewell.ts'
import { Heartbeat } from './heartbeat.ts'
import type { Timers } from './timers.ts'

/** Time that a refused client has to close its side, in milliseconds (RFC 9112 §9.6). */
const lingerMs = 1_000

/** Time for which messages wait for a listener while the handler is at work, in milliseconds. */
const holdMs = 10_000

/** A handshake that is under way, as far as the attachment ends it. */
export interface UnderWay extends Due {
  /** The key that it was accepted with, before its 101; undefined where there is none. */
  readonly key: string | undefined
  /** What its client is counted by; undefined as long as nobody knows. */
  readonly clientKey: string | undefined
  /** Ends it at once. */
  destroy(): void
  /** Has the connection that it becomes closed with this code as soon as it is open. */
  revoke(code: number, reason: string): void
}

/** What one attachment has under way: handshakes, in the order of their ways, and open sockets. */
export class Connections implements Home {
  readonly open: Set<WebSocket> = new Set()
  /** Handshakes that wait for responses in front of them: they cost the application nothing yet. */
  readonly queued: Deadlines<UnderWay>
  /** Handshakes that wait for the application. */
  readonly pending: Deadlines<UnderWay>
  /** Those that the application has answered 404, and that wait for others only. */
  readonly kept: Deadlines<UnderWay>
  /** Those whose answer, another than 101, is being written. */
  readonly answering: Deadlines<UnderWay>
  /** Those that were answered; the client may read on. RFC 9112 §9.6. */
  readonly lingering: Deadlines<UnderWay>
  readonly holding: Deadlines
  readonly limits: Limits
  readonly stats: Stats = new Stats()
  readonly report: FaultReporter
  readonly #heartbeat: Heartbeat | undefined
  readonly #expiry: Expiry
  readonly #byKey = new Map<string, Set<WebSocket>>()
  readonly #onClosed: ClosedReporter | undefined
  readonly #occupancy: { start(): void; stop(): void } | undefined
  /** The drain under way; undefined where new handshakes are taken. */
  #farewell: Farewell | undefined
  /** Those that still close connections: a server that was closed may listen again meanwhile. */
  readonly #farewells = new Set<Farewell>()
  readonly #whenIdle: (() => void)[] = []

  /** @param occupancy is told when there is something under way, and when there is nothing any more */
  constructor(options: ResolvedOptions, timers: Timers, occupancy?: { start(): void; stop(): void }) {
    this.#occupancy = occupancy
    this.report = options.onError
    this.#onClosed = options.onClosed
    this.queued = new Deadlines(options.handshakeTimeoutMs, timers)
    this.pending = new Deadlines(options.handshakeTimeoutMs, timers)
    this.kept = new Deadlines(options.handshakeTimeoutMs, timers)
    this.answering = new Deadlines(options.handshakeTimeoutMs, timers)
    this.lingering = new Deadlines(lingerMs, timers)
    this.holding = new Deadlines(holdMs, timers)
    this.limits = new Limits(options.maxConnections, options.maxConnectionsPerAddress)
    this.#expiry = new Expiry(timers)
    this.#heartbeat = options.heartbeat === undefined ? undefined : new Heartbeat(options.heartbeat, timers)
  }

  /** Whether new handshakes get 503. */
  get draining(): boolean {
    return this.#farewell !== undefined
  }

  /** Handshakes that are not answered in full. */
  get underWay(): number {
    return this.queued.size + this.pending.size + this.kept.size + this.answering.size
  }

  /** Whether a socket is open or a handshake under way. */
  get isOccupied(): boolean {
    return this.open.size > 0 || this.underWay > 0
  }

  /** Begins to drain. A socket whose handshake is too far on for a 503 is closed as soon as it joins. */
  startDraining(code: number, reason: string): Farewell {
    const farewell = new Farewell(code, reason, this.open)
    this.#farewell = farewell
    this.#farewells.add(farewell)
    return farewell
  }

  /** A drain is over; where the server has not listened again, new handshakes still get 503. */
  endDraining(farewell: Farewell): void {
    this.#farewells.delete(farewell)
  }

  /** Takes new handshakes again: a server that was closed may listen once more. */
  stopDraining(): void {
    this.#farewell = undefined
  }

  /** A handshake has begun. */
  enter(): void {
    this.#occupancy?.start()
  }

  /** A handshake or a connection has ended. */
  leave(): void {
    if (this.isOccupied) return
    this.#occupancy?.stop()
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  /** Takes an open socket in until it closes; its place is given back then. */
  add(connection: Connection): void {
    this.open.add(connection.socket)
    this.#heartbeat?.add(connection)
    this.#bind(connection)
    if (this.#farewell === undefined) return
    this.#farewell.add(connection.socket)
    connection.close(this.#farewell.code, this.#farewell.reason)
  }

  /** The open sockets of one user or session. */
  withKey(key: string): ReadonlySet<WebSocket> {
    return this.#byKey.get(key) ?? new Set()
  }

  /** Closes the connections of one user or session, those whose 101 is under way as well; returns how many. */
  revoke(key: string, code: number, reason: string): number {
    const sockets = [...(this.#byKey.get(key) ?? [])]
    this.#byKey.delete(key)
    for (const socket of sockets) connectionOf(socket)?.expel(code, reason)
    const coming = [...this.#handshakes()].filter((handshake) => handshake.key === key)
    for (const handshake of coming) handshake.revoke(code, reason)
    return sockets.length + coming.length
  }

  /** Cuts what is left of a drain. @returns how many connections that were */
  cut(farewell: Farewell): number {
    const sockets = [...farewell.sockets]
    for (const socket of sockets) {
      this.stats.terminated(socket, 'drain')
      connectionOf(socket)?.terminate()
    }
    if (farewell === this.#farewell) for (const handshake of [...this.#handshakes()]) handshake.destroy()
    return sockets.length
  }

  *#handshakes(): Generator<UnderWay> {
    for (const list of [this.queued, this.pending, this.kept, this.answering]) yield* list
  }

  /** Sets the time at which a connection's credential ends, in milliseconds since 1970. */
  renew(connection: Connection, expiresAt: number): void {
    this.#expiry.set(connection, expiresAt)
  }

  /** Called when a socket has closed, before its listeners are. */
  remove(connection: Connection, code: number): void {
    const { socket } = connection
    if (!this.open.delete(socket)) return
    this.#heartbeat?.delete(connection)
    this.#unbind(connection)
    this.limits.giveBack(connection.place)
    this.stats.closed(socket, connection, code, this.#onClosed)
    for (const farewell of this.#farewells) farewell.delete(socket)
    this.leave()
  }

  /** Passes a pong on. */
  pong(connection: Connection): void {
    this.#heartbeat?.pong(connection)
  }

  #bind(connection: Connection): void {
    const { socket, credential } = connection
    if (credential === undefined) return
    const { key, expiresAt } = credential
    this.#expiry.set(connection, expiresAt)
    if (key === undefined) return
    const others = this.#byKey.get(key)
    if (others === undefined) this.#byKey.set(key, new Set([socket]))
    else others.add(socket)
  }

  #unbind(connection: Connection): void {
    this.#expiry.delete(connection)
    const key = connection.credential?.key
    if (key === undefined) return
    const others = this.#byKey.get(key)
    if (others?.delete(connection.socket) && others.size === 0) this.#byKey.delete(key)
  }

  /** Resolves once no socket is open and no handshake under way. */
  async idle(): Promise<void> {
    if (this.isOccupied) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }
}
