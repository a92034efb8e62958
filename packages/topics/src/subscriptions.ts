import { expected, TopicsError } from './errors.ts'
import { Member } from './member.ts'
import type { ResolvedOptions } from './options.ts'
import { open } from './ready-state.ts'
import { show } from './show.ts'
import type { TopicSocket } from './socket.ts'

type Limits = Pick<ResolvedOptions, 'maxTopicLength' | 'maxTopicsPerSocket' | 'maxSubscriptions'>

/** Notified when a topic gets its first subscriber, and when it has lost its last. */
export interface TopicWatch {
  want(topic: string): void
  release(topic: string): void
}

/** Which socket is subscribed to which topics. Topics without subscribers and sockets without topics are removed. */
export class Subscriptions {
  readonly #limits: Limits
  readonly #members = new Map<TopicSocket, Member>()
  readonly #topics = new Map<string, Set<Member>>()
  readonly #onClose: (this: TopicSocket) => void
  readonly #isServed: (socket: TopicSocket) => boolean
  readonly #watch: TopicWatch | undefined
  #count = 0

  /** @param isServed whether a socket speaks the protocol of `serve` */
  constructor(limits: Limits, isServed: (socket: TopicSocket) => boolean, watch?: TopicWatch) {
    this.#limits = limits
    this.#isServed = isServed
    this.#watch = watch
    const leave = (socket: TopicSocket): void => this.leave(socket)
    this.#onClose = function (this: TopicSocket): void {
      leave(this)
    }
  }

  get counts(): { sockets: number; topics: number; subscriptions: number } {
    return { sockets: this.#members.size, topics: this.#topics.size, subscriptions: this.#count }
  }

  /**
   * @returns false if the socket is already subscribed, or is not open
   * @throws TopicsError if a limit is reached
   */
  add(socket: TopicSocket, topic: string): boolean {
    if (socket.readyState !== open) return false
    const known = this.#members.get(socket)
    if (known?.topics.has(topic)) return false
    this.#checkLimits(topic, known?.topics.size ?? 0)
    let members = this.#topics.get(topic)
    // First, because it may throw.
    if (members === undefined) this.#watch?.want(topic)
    const member = known ?? this.#join(socket)
    member.topics.add(topic)
    if (members === undefined) {
      members = new Set()
      this.#topics.set(topic, members)
    }
    members.add(member)
    this.#count++
    return true
  }

  /** @returns false if the socket was not subscribed */
  remove(socket: TopicSocket, topic: string): boolean {
    const member = this.#members.get(socket)
    if (member?.topics.delete(topic) !== true) return false
    member.held?.discard(topic)
    member.behind?.delete(topic)
    member.outdated?.delete(topic)
    this.#forget(member, topic)
    if (member.topics.size === 0) this.leave(socket)
    return true
  }

  /** Ends all subscriptions of a socket. */
  leave(socket: TopicSocket): void {
    const member = this.#members.get(socket)
    if (member === undefined) return
    this.#members.delete(socket)
    for (const topic of member.topics) this.#forget(member, topic)
    member.topics.clear()
    socket.off('close', this.#onClose)
  }

  /** @param onFault called when a socket throws; the others still leave */
  leaveAll(onFault: (error: unknown, socket: TopicSocket) => void): void {
    for (const socket of [...this.#members.keys()]) {
      try {
        this.leave(socket)
      } catch (error) {
        onFault(error, socket)
      }
    }
  }

  membersOf(topic: string): ReadonlySet<Member> | undefined {
    return this.#topics.get(topic)
  }

  memberOf(socket: TopicSocket): Member | undefined {
    return this.#members.get(socket)
  }

  topicsOf(socket: TopicSocket): string[] {
    return [...(this.#members.get(socket)?.topics ?? [])]
  }

  #join(socket: TopicSocket): Member {
    const member = new Member(socket, this.#isServed(socket))
    socket.once('close', this.#onClose)
    this.#members.set(socket, member)
    return member
  }

  #forget(member: Member, topic: string): void {
    const members = this.#topics.get(topic)
    members?.delete(member)
    this.#count--
    if (members?.size !== 0) return
    this.#topics.delete(topic)
    this.#watch?.release(topic)
  }

  #checkLimits(topic: string, topicsOfSocket: number): void {
    const { maxTopicLength, maxTopicsPerSocket, maxSubscriptions } = this.#limits
    if (topic.length > maxTopicLength) {
      const [start, { length }] = [show(topic.slice(0, 32)), topic]
      throw new TopicsError(
        'TOPICS_NAME',
        `The name of a topic may have at most ${maxTopicLength} characters; got ${length}, starting with ${start}.`
      )
    }
    if (topicsOfSocket >= maxTopicsPerSocket) {
      throw new TopicsError('TOPICS_OF_SOCKET', `The socket has reached its limit of ${maxTopicsPerSocket} topics.`)
    }
    if (this.#count >= maxSubscriptions) {
      throw new TopicsError('TOPICS_SUBSCRIPTIONS', `The limit of ${maxSubscriptions} subscriptions is reached.`)
    }
  }
}

/** @throws TypeError if the socket is not one of `ws`, or the topic is not a string */
export function checkSubscription(call: string, socket: TopicSocket, topic: string): void {
  if (
    typeof socket?.send !== 'function' ||
    typeof socket.readyState !== 'number' ||
    typeof socket.once !== 'function'
  ) {
    throw expected(`${call}: socket`, 'a WebSocket of ws', socket)
  }
  checkTopic(call, topic)
}

/** @throws TypeError if the topic is not a string */
export function checkTopic(call: string, topic: string): void {
  if (typeof topic !== 'string') throw expected(`${call}: topic`, 'a string', topic)
}
