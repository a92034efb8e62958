import type { WebSocket } from 'ws'
import type { ResolvedOptions } from '../options/server.ts'
import type { FaultReporter } from '../reports/fault.ts'
import { type ClosedReporter, Stats } from '../reports/stats.ts'
import type { ResolvedCredential } from '../rules/credential.ts'
import { Limits } from '../rules/limits.ts'
import type { ContainedWebSocket } from './contained-socket.ts'
import { Expiry } from './expiry.ts'
import { Heartbeat } from './heartbeat.ts'
import { PendingHandshakes, type Waiting } from './pending-handshakes.ts'

/** What one attachment has under way: handshakes that wait, and open sockets. */
export class Connections {
  readonly open: Set<WebSocket> = new Set()
  readonly pending: PendingHandshakes
  readonly limits: Limits
  readonly stats: Stats = new Stats()
  readonly report: FaultReporter
  /** How many have joined since the start. */
  joined = 0
  readonly #heartbeat: Heartbeat | undefined
  readonly #expiry = new Expiry()
  readonly #byKey = new Map<string, Set<ContainedWebSocket>>()
  readonly #onClosed: ClosedReporter | undefined
  readonly #occupancy: { start(): void; stop(): void } | undefined
  #farewell: { readonly code: number; readonly reason: string } | undefined
  #whenEmpty: (() => void)[] = []

  /** @param occupancy is told when there is something under way, and when there is nothing any more */
  constructor(options: ResolvedOptions, occupancy?: { start(): void; stop(): void }) {
    this.#occupancy = occupancy
    this.report = options.onError
    this.#onClosed = options.onClosed
    this.pending = new PendingHandshakes(options.handshakeTimeoutMs)
    this.limits = new Limits(options.maxConnections, options.maxConnectionsPerAddress)
    this.#heartbeat = options.heartbeat === undefined ? undefined : new Heartbeat(options.heartbeat)
  }

  /** Whether new handshakes get 503. */
  get draining(): boolean {
    return this.#farewell !== undefined
  }

  /** Begins to drain. A socket whose handshake is too far on for a 503 is closed as soon as it joins. */
  startDraining(code: number, reason: string): void {
    this.#farewell = { code, reason }
  }

  /** Takes new handshakes again: a server that was closed may listen once more. */
  stopDraining(): void {
    this.#farewell = undefined
  }

  /** A handshake begins. */
  enter(handshake: Waiting & { readonly since: number }): void {
    this.pending.add(handshake, handshake.since)
    this.#occupancy?.start()
  }

  /** A handshake or a connection has ended. */
  leave(): void {
    if (this.open.size === 0 && this.pending.size === 0) this.#occupancy?.stop()
  }

  /** Takes an open socket in until it closes; its place is given back then. */
  add(socket: ContainedWebSocket, place: string | undefined, credential?: ResolvedCredential): void {
    this.joined++
    this.open.add(socket)
    this.#heartbeat?.add(socket)
    socket.place = place
    if (credential !== undefined) this.#bind(socket, credential)
    if (this.#farewell !== undefined) socket.close(this.#farewell.code, this.#farewell.reason)
  }

  /** The open sockets of one user or session. */
  withKey(key: string): ReadonlySet<WebSocket> {
    return this.#byKey.get(key) ?? new Set()
  }

  /** Closes the connections of one user or session; returns how many. */
  revoke(key: string, code: number, reason: string): number {
    const sockets = [...(this.#byKey.get(key) ?? [])]
    this.#byKey.delete(key)
    for (const socket of sockets) socket.expel(code, reason)
    return sockets.length
  }

  /** Sets the time at which a socket's credential ends, in milliseconds since 1970. */
  renew(socket: ContainedWebSocket, expiresAt: number): void {
    this.#expiry.set(socket, expiresAt)
  }

  /** Called when a socket has closed, before its listeners are. */
  remove(socket: ContainedWebSocket, code: number): void {
    if (!this.open.delete(socket)) return
    this.#heartbeat?.delete(socket)
    this.#unbind(socket)
    this.limits.giveBack(socket.place)
    this.stats.closed(socket, code, this.#onClosed)
    this.leave()
    if (this.open.size > 0) return
    for (const resolve of this.#whenEmpty.splice(0)) resolve()
  }

  /** Passes a pong on. */
  pong(socket: ContainedWebSocket): void {
    this.#heartbeat?.pong(socket)
  }

  #bind(socket: ContainedWebSocket, credential: ResolvedCredential): void {
    const { key, expiresAt } = credential
    socket.credential = credential
    this.#expiry.set(socket, expiresAt)
    if (key === undefined) return
    const others = this.#byKey.get(key)
    if (others === undefined) this.#byKey.set(key, new Set([socket]))
    else others.add(socket)
  }

  #unbind(socket: ContainedWebSocket): void {
    this.#expiry.delete(socket)
    const key = socket.credential?.key
    if (key === undefined) return
    const others = this.#byKey.get(key)
    if (others?.delete(socket) && others.size === 0) this.#byKey.delete(key)
  }

  /** Resolves once no socket is open. */
  async empty(): Promise<void> {
    if (this.open.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve))
  }
}
