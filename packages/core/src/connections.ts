import type { WebSocket } from 'ws'
import { Heartbeat } from './heartbeat.ts'
import { Limits, type Slot } from './limits.ts'
import type { ResolvedOptions } from './options.ts'
import { PendingHandshakes, type Waiting } from './pending.ts'
import { Stats } from './stats.ts'
import type { ContainedWebSocket } from './ws-bridge.ts'

/** What one attachment has under way: handshakes that wait, and open sockets. */
export class Connections {
  readonly open: Set<WebSocket> = new Set()
  readonly pending: PendingHandshakes
  readonly limits: Limits
  readonly stats: Stats = new Stats()
  /** How many have joined since the start. */
  joined = 0
  readonly #heartbeat: Heartbeat | undefined
  readonly #occupancy: { start(): void; stop(): void } | undefined
  #farewell: { readonly code: number; readonly reason: string } | undefined
  #whenEmpty: (() => void)[] = []

  /** @param occupancy is told when there is something under way, and when there is nothing any more */
  constructor(options: ResolvedOptions, occupancy?: { start(): void; stop(): void }) {
    this.#occupancy = occupancy
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
  enter(handshake: Waiting): void {
    this.pending.add(handshake)
    this.#occupancy?.start()
  }

  /** A handshake or a connection has ended. */
  leave(): void {
    if (this.open.size === 0 && this.pending.size === 0) this.#occupancy?.stop()
  }

  /** Takes an open socket in until it closes; its slot is released then. */
  add(socket: ContainedWebSocket, slot?: Slot): void {
    this.joined++
    this.open.add(socket)
    if (this.#heartbeat !== undefined) {
      this.#heartbeat.add(socket)
      socket.heartbeat = this.#heartbeat
    }
    socket.slot = slot
    socket.on('close', this.#remove)
    this.stats.accepted(socket)
    if (this.#farewell !== undefined) socket.close(this.#farewell.code, this.#farewell.reason)
  }

  /** Resolves once no socket is open. */
  async empty(): Promise<void> {
    if (this.open.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve))
  }

  // One listener for all sockets: an arrow function for each would keep more alive than the socket.
  readonly #remove: (this: WebSocket, code: number) => void = ((connections: Connections) =>
    function (this: WebSocket, code: number): void {
      const socket = this as ContainedWebSocket
      connections.open.delete(socket)
      connections.#heartbeat?.delete(socket)
      socket.slot?.release()
      connections.stats.closed(socket, code)
      connections.leave()
      if (connections.open.size > 0) return
      for (const resolve of connections.#whenEmpty.splice(0)) resolve()
    })(this)
}
