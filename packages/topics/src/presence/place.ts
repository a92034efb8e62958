import type { Session } from '../serve/session.ts'
import type { All, Named, Notice } from './notice.ts'
import type { Room } from './room.ts'

/** What makes somebody a member: a session, or the memory of one that is likely to come back. */
export type Presentee = Pick<Session, 'shown'>

/** A member of a topic, with sessions of this node, at other nodes, or both. */
interface Entry {
  /** As others see it. */
  readonly json: string
  sessions: Set<Presentee> | undefined
  /** Number of other nodes that have it. */
  nodes: number
}

/** How often in a row a node may be asked, and not answer, before its members are dropped. */
const mostSilence = 3

/** After a hole, no version of a node is known. */
const unsure = -1

/** What this node knows of the members at another one. */
class Peer {
  version = 0
  /** How often it was asked since it was last heard. */
  silence = 0
  /** The IDs of its members, each with the round in which it was told last. */
  readonly ids = new Map<string, number>()
  /** How often everything has begun to arrive. */
  round = 0
  /** Which part is next while everything arrives. */
  next: { readonly version: number; readonly part: number } | undefined
}

/** Who is present in one topic, and who watches. Members at other nodes are known only while somebody watches. */
export class Place {
  readonly watchers = new Set<Session>()
  /** What watchers have not been told yet: the members that have changed, and whether they were shown before. */
  readonly untold = new Map<string, boolean>()
  /** How many changes watchers were told at once, and since when. */
  told = 0
  toldFrom = -Infinity
  /** The state of this node's members, for other nodes: see {@link Notice}. */
  version = 0
  /** When other nodes were told that there are members here. */
  announcedAt = -Infinity
  /** When another node has asked for the last time, and when it has asked all nodes. */
  askedAt = -Infinity
  allAskedAt = -Infinity
  readonly #members = new Map<string, Entry>()
  readonly #peers = new Map<string, Peer>()
  readonly #room: Room
  #own = 0

  constructor(room: Room) {
    this.#room = room
  }

  get isEmpty(): boolean {
    return this.#members.size === 0 && this.watchers.size === 0
  }

  /** Number of members with sessions of this node. */
  get own(): number {
    return this.#own
  }

  /** Whether members at other nodes are known. */
  get hasPeers(): boolean {
    return this.#peers.size > 0
  }

  /** All members, each as JSON. */
  get members(): string[] {
    return Array.from(this.#members.values(), ({ json }) => json)
  }

  /** The members with sessions of this node, each as JSON. */
  *ownMembers(): Generator<string> {
    for (const { sessions } of this.#members.values()) {
      // Another node may show the same member differently.
      for (const { shown } of sessions ?? []) {
        if (shown !== undefined) yield shown.json
        break
      }
    }
  }

  /** What watchers have not been told: members that have joined, as JSON, and that have left, with undefined. */
  takeChanges(): [string, string | undefined][] {
    const changes: [string, string | undefined][] = []
    for (const [id, wasShown] of this.untold) {
      const json = this.#members.get(id)?.json
      if (wasShown !== (json !== undefined)) changes.push([id, json])
    }
    this.untold.clear()
    return changes
  }

  /** @returns false if there is no room for it */
  join(session: Presentee, { id, json }: Named): boolean {
    const entry = this.#members.get(id)
    if (entry?.sessions !== undefined) {
      entry.sessions.add(session)
      return true
    }
    if (!this.#room.take()) return false
    this.#own++
    if (entry === undefined) this.#show(id, { json, sessions: new Set([session]), nodes: 0 })
    else entry.sessions = new Set([session])
    return true
  }

  part(session: Presentee): void {
    const { id = '' } = session.shown ?? {}
    const entry = this.#members.get(id)
    if (entry?.sessions?.delete(session) !== true || entry.sessions.size > 0) return
    entry.sessions = undefined
    this.#own--
    this.#room.free()
    this.#hide(id, entry)
  }

  /**
   * Takes a notice of another node.
   * @returns the version to ask that node for, if it is not known whether this node knows everything
   */
  hear(node: string, notice: Notice): number | undefined {
    const peer = this.#peers.get(node)
    if (notice.version === 0) {
      this.#drop(node)
      return undefined
    }
    if (peer === undefined && this.#room.isFull) return undefined
    if (peer !== undefined) peer.silence = 0
    const isKnown = this.#learn(peer, node, notice)
    return isKnown ? undefined : this.#versionOf(node)
  }

  /** Drops the members of nodes that have not answered for too long. Called when they are asked. */
  dropSilent(): void {
    for (const [node, peer] of this.#peers) if (peer.silence++ >= mostSilence) this.#drop(node)
  }

  /** Forgets what other nodes have told. */
  forgetPeers(): void {
    for (const node of [...this.#peers.keys()]) this.#drop(node)
  }

  #versionOf(node: string): number {
    const { version = 0 } = this.#peers.get(node) ?? {}
    return Math.max(0, version)
  }

  /** @returns whether everything is known, and the node knows that */
  #learn(peer: Peer | undefined, node: string, notice: Notice): boolean {
    switch (notice.kind) {
      case 'ask':
      case 'here':
        return peer?.version === notice.version
      case 'joined':
      case 'left': {
        if (peer !== undefined && notice.version <= peer.version) return true
        const { from, kind, member, version } = notice
        const known = peer ?? (kind === 'joined' ? this.#meet(node) : undefined)
        if (known === undefined) return false
        if (kind === 'joined') this.#add(known, member)
        else this.#remove(known, member.id)
        known.version = known.version === from ? version : unsure
        known.next = undefined
        // A node that has just got its first member does not know yet that somebody watches.
        return peer !== undefined && known.version === version
      }
      case 'all':
        return this.#fill(peer ?? (notice.part === 0 ? this.#meet(node) : undefined), notice)
    }
  }

  /** Takes a part of everything. What is not in any part has left. */
  #fill(peer: Peer | undefined, { version, part, isLast, members }: All): boolean {
    if (peer === undefined) return false
    if (version < peer.version) return true
    if (part === 0) {
      peer.round++
      peer.next = { version, part }
    }
    if (peer.next?.version !== version || peer.next.part !== part) {
      peer.next = undefined
      peer.version = unsure
      return false
    }
    for (const member of members) this.#add(peer, member)
    peer.next = isLast ? undefined : { version, part: part + 1 }
    if (!isLast) return true
    for (const [id, round] of peer.ids) if (round !== peer.round) this.#remove(peer, id)
    peer.version = version
    return true
  }

  /** @returns undefined if there is no room */
  #meet(node: string): Peer | undefined {
    if (!this.#room.take()) return undefined
    const peer = new Peer()
    this.#peers.set(node, peer)
    return peer
  }

  #drop(node: string): void {
    const peer = this.#peers.get(node)
    if (peer === undefined) return
    for (const id of peer.ids.keys()) this.#remove(peer, id)
    this.#peers.delete(node)
    this.#room.free()
  }

  /** Beyond the limit a member is not shown. */
  #add(peer: Peer, { id, json }: Named): void {
    if (!peer.ids.has(id)) {
      if (!this.#room.take()) return
      const entry = this.#members.get(id)
      if (entry === undefined) this.#show(id, { json, sessions: undefined, nodes: 1 })
      else entry.nodes++
    }
    peer.ids.set(id, peer.round)
  }

  #remove(peer: Peer, id: string): void {
    if (!peer.ids.delete(id)) return
    this.#room.free()
    const entry = this.#members.get(id)
    if (entry === undefined) return
    entry.nodes--
    this.#hide(id, entry)
  }

  #show(id: string, entry: Entry): void {
    this.#members.set(id, entry)
    this.#note(id, false)
  }

  /** Removes a member that is nowhere any more. */
  #hide(id: string, { nodes, sessions }: Entry): void {
    if (nodes > 0 || sessions !== undefined) return
    this.#members.delete(id)
    this.#note(id, true)
  }

  #note(id: string, wasShown: boolean): void {
    if (this.watchers.size > 0 && !this.untold.has(id)) this.untold.set(id, wasShown)
  }
}
