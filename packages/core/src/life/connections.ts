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
import { HttpClients } from './http-clients.ts'
import type { Timers } from './timers.ts'

/** Time that a refused client has to close its side of the connection, in milliseconds (RFC 9112 §9.6). */
const lingerMs = 1_000

/** Time that messages wait for a listener while the handler runs, in milliseconds. */
const holdMs = 10_000

/** A handshake under way, with what the attachment needs to end it. */
export interface UnderWay extends Due {
  /** The `key` that it was accepted with; its 101 is not sent yet. Undefined if there is none. */
  readonly key: string | undefined
  /** Identifies the client in counts per address; undefined until it is known. */
  readonly clientKey: string | undefined
  /** Cuts the connection. */
  destroy(): void
  /** Closes the connection with this code as soon as it is open. */
  revoke(code: number, reason: string): void
}

/** The handshakes and open sockets of one attachment. */
export class Connections implements Home {
  readonly open: Set<WebSocket> = new Set()
  /** Handshakes that wait for earlier responses. They cost the application nothing yet. */
  readonly queued: Deadlines<UnderWay>
  /** Handshakes that wait for the application. */
  readonly pending: Deadlines<UnderWay>
  /** Handshakes that the application has answered with 404, and that other listeners may still take. */
  readonly kept: Deadlines<UnderWay>
  /** Handshakes whose answer, other than 101, is being written. */
  readonly answering: Deadlines<UnderWay>
  /** Handshakes that were answered; the client has time to read the answer. RFC 9112 §9.6. */
  readonly lingering: Deadlines<UnderWay>
  readonly holding: Deadlines
  readonly limits: Limits
  /** Clients of services that wait for a response over plain HTTP. */
  readonly http: HttpClients
  readonly stats: Stats = new Stats()
  readonly report: FaultReporter
  readonly #heartbeat: Heartbeat | undefined
  readonly #expiry: Expiry
  readonly #byKey = new Map<string, Set<WebSocket>>()
  readonly #onClosed: ClosedReporter | undefined
  readonly #occupancy: { start(): void; stop(): void } | undefined
  /** The current drain; undefined while new handshakes are accepted. */
  #farewell: Farewell | undefined
  /** All drains that still close connections: a server that was closed may listen again before they are done. */
  readonly #farewells = new Set<Farewell>()
  readonly #whenIdle: (() => void)[] = []

  /** @param occupancy started when there is a handshake or a connection, stopped when there are none left */
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
    this.http = new HttpClients(this.limits, this.#expiry)
    this.#heartbeat = options.heartbeat === undefined ? undefined : new Heartbeat(options.heartbeat, timers)
  }

  /** Whether new handshakes get 503. */
  get draining(): boolean {
    return this.#farewell !== undefined
  }

  /** The number of handshakes that are not completely answered. */
  get underWay(): number {
    return this.queued.size + this.pending.size + this.kept.size + this.answering.size
  }

  /** Whether there is an open socket or a handshake under way. */
  get isOccupied(): boolean {
    return this.open.size > 0 || this.underWay > 0
  }

  /** Starts a drain. A socket whose handshake is too far along for a 503 is closed as soon as it is added. */
  startDraining(code: number, reason: string): Farewell {
    const farewell = new Farewell(code, reason, this.open)
    this.#farewell = farewell
    this.#farewells.add(farewell)
    return farewell
  }

  /** Ends a drain. New handshakes still get 503, until the server listens again. */
  endDraining(farewell: Farewell): void {
    this.#farewells.delete(farewell)
  }

  /** Accepts new handshakes again, when a server that was closed listens again. */
  stopDraining(): void {
    this.#farewell = undefined
  }

  /** Called when a handshake starts. */
  enter(): void {
    this.#occupancy?.start()
  }

  /** Called when a handshake or a connection has ended. */
  leave(): void {
    if (this.isOccupied) return
    this.#occupancy?.stop()
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  /** Adds an open socket. When it closes, it is removed, and its place is free again. */
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

  /** Closes the connections of one user or session, including those whose 101 is not sent yet. @returns how many */
  revoke(key: string, code: number, reason: string): number {
    const sockets = [...(this.#byKey.get(key) ?? [])]
    this.#byKey.delete(key)
    for (const socket of sockets) connectionOf(socket)?.expel(code, reason)
    const coming = [...this.#handshakes()].filter((handshake) => handshake.key === key)
    for (const handshake of coming) handshake.revoke(code, reason)
    return sockets.length + coming.length + this.http.revoke(key)
  }

  /** Terminates the connections that a drain has not closed yet. @returns how many */
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

  /** Sets the time at which a connection's credential expires, in milliseconds since 1970. */
  renew(connection: Connection, expiresAt: number): void {
    this.#expiry.set(connection, expiresAt)
  }

  /** Called when a socket has closed, before its `close` listeners. */
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

  /** Resolves when no socket is open and no handshake is under way. */
  async idle(): Promise<void> {
    if (this.isOccupied) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }
}
