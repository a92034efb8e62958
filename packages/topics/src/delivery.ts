import { tryAgainLater } from './close-code.ts'
import type { Context } from './context.ts'
import { costOf } from './cost.ts'
import { Held } from './held.ts'
import type { History } from './history/history.ts'
import type { Log } from './history/log.ts'
import type { Member } from './member.ts'
import { Message } from './message.ts'
import type { ResolvedOptions } from './options.ts'
import type { Publication } from './publication.ts'
import { closed, open } from './ready-state.ts'
import { gap } from './serve/answers.ts'
import type { TopicSocket } from './socket.ts'
import type { Counters } from './stats.ts'
import { flushThrough, Tick } from './tick.ts'
import { tell } from './told.ts'
import { isIdle, isWithinMessage } from './ws-sender.ts'

/**
 * How often to check sockets with held messages, in milliseconds. `ws` emits no event when a fragmented message ends.
 */
const lookMs = 25

/**
 * The part of `maxBufferedBytes` beyond which messages get memory of their own. Below it, a client keeps at most one
 * pool of 8 KiB in memory for each `pieceBytes` waiting, so at most half of `maxBufferedBytes`.
 */
const sharedPart = 1 / 32

/** Bytes that may be read from histories at one look, for all sockets together. */
const mostReplayedBytes = 8_388_608

type Rules = Pick<ResolvedOptions, 'maxBufferedBytes' | 'whenSlow' | 'onError'>

/**
 * Writes messages to sockets, in order with what the application sends itself, and limits what may wait for a client.
 */
export class Delivery {
  readonly #rules: Rules
  readonly #counters: Counters
  readonly #leave: (member: Member) => void
  readonly #context: Context
  readonly #history: History | undefined
  readonly #presentIn: (topic: string) => string | undefined
  readonly #tick: Tick
  readonly #waiting = new Set<Member>()
  #timer: NodeJS.Timeout | undefined
  /** Bytes read from histories since the last look. */
  #replayedBytes = 0

  /**
   * @param leave ends all subscriptions of a member
   * @param context runs deferred work, since that may be for another client
   * @param presentIn the answer that lists who is present in a topic; undefined if nobody is, or watches
   */
  constructor(
    rules: Rules,
    counters: Counters,
    leave: (member: Member) => void,
    context: Context,
    history: History | undefined,
    presentIn: (topic: string) => string | undefined
  ) {
    this.#rules = rules
    this.#history = history
    this.#presentIn = presentIn
    this.#counters = counters
    this.#leave = leave
    this.#context = context
    this.#tick = new Tick(context, (error, member) => this.fail(error, member.socket))
  }

  /**
   * @returns whether the message was written, or is held and can't be replaced by a newer one, or will be read from the
   * history
   */
  deliver(member: Member, publication: Publication): boolean {
    try {
      return this.#offer(member, publication)
    } catch (error) {
      this.fail(error, member.socket)
      return false
    }
  }

  /**
   * Sends a member what it has missed of a topic, as far as there is room now, and the rest later.
   * @param offset the first message that it has not got
   */
  replay(member: Member, topic: string, offset: number): void {
    this.#fallBehind(member, topic, offset)
    this.#release(member)
  }

  /**
   * Tells a member that messages are missing, unless it has yet to read others from the history.
   * @param last the offset of the last message that it has got; 0 if that was in another epoch
   */
  reportGap(member: Member, topic: string, log: Log, last: number): void {
    if (!member.isServed) return
    if (last > 0 && !member.behind?.has(topic)) this.replay(member, topic, last + 1)
    if (last > 0) return
    // What it has yet to read belongs to the other epoch.
    try {
      const notice = new Message(gap(log.epoch, log.first - 1, topic), false, false)
      if (member.socket.readyState !== open) return
      if (this.#isReady(member, notice)) this.#write(member, notice)
      else this.#close(member)
    } catch (error) {
      this.fail(error, member.socket)
    }
    this.replay(member, topic, log.first)
  }

  /** Tells a member who has joined or left a topic. Without room for it, it gets the whole list later. */
  notify(member: Member, topic: string, notice: Message): void {
    try {
      if (member.socket.readyState !== open || member.outdated?.has(topic)) return
      if (this.#isReady(member, notice)) {
        this.#write(member, notice)
        return
      }
      member.outdated ??= new Set()
      member.outdated.add(topic)
      this.#await(member)
    } catch (error) {
      this.fail(error, member.socket)
    }
  }

  /** Counts and reports an error that a socket has thrown. Never throws. */
  fail(error: unknown, socket: TopicSocket): void {
    this.#counters.failed++
    tell('onError', this.#rules.onError, error, socket)
  }

  /** Writes what is corked, and drops what is held. */
  close(): void {
    this.#tick.flush()
    for (const member of [...this.#waiting]) this.#forget(member)
  }

  #offer(member: Member, publication: Publication): boolean {
    const { socket, sender } = member
    const { topic, offset } = publication
    if (socket.readyState !== open) {
      // We missed its `close` event: somebody has removed all its listeners.
      if (socket.readyState === closed) this.#leave(member)
      return false
    }
    const wasBehind = member.behind?.has(topic) === true
    if (member.held !== undefined || member.behind !== undefined) this.#release(member)
    const message = member.isServed ? publication.served : publication.plain
    if (member.isServed && offset !== undefined) {
      // What it gets from the history, or just got, has this message too.
      if (wasBehind) return true
      if (this.#isReady(member, message)) return this.#write(member, message)
      this.#fallBehind(member, topic, offset)
      return true
    }
    if (member.held === undefined && this.#isReady(member, message)) return this.#write(member, message)
    const cost = costOf(socket, sender) + (member.held?.cost ?? 0)
    if (isWithinMessage(sender) && cost <= this.#rules.maxBufferedBytes) {
      this.#hold(member).add(message)
      return true
    }
    this.#refuse(member, topic, message)
    return false
  }

  /** Whether a message can be written now. */
  #isReady(member: Member, message: Message): boolean {
    const { socket, sender } = member
    if (isWithinMessage(sender)) return false
    const { maxBufferedBytes } = this.#rules
    const cost = costOf(socket, sender)
    if (cost > maxBufferedBytes * sharedPart) message.keep()
    if (cost <= maxBufferedBytes) return true
    // Data that is corked until the end of the tick does not mean that the client is slow.
    flushThrough(member)
    return costOf(socket, sender) <= maxBufferedBytes
  }

  #write(member: Member, message: Message): boolean {
    const { socket, sender, deflate } = member
    if (sender === undefined || !isIdle(sender) || (deflate === 'shared' && message.compress)) {
      socket.send(message.payload, { binary: message.isBinary, compress: message.compress })
      this.#counters.sent++
      this.#counters.delivered++
      return true
    }
    const { _socket: rawSocket } = sender
    if (!rawSocket.writable) return false
    this.#tick.cork(member)
    rawSocket.write(deflate === undefined || deflate === 'shared' ? message.frame : message.frameFor(deflate))
    this.#counters.delivered++
    return true
  }

  /** Applies `whenSlow` to a message for which there is no room. */
  #refuse(member: Member, topic: string, message: Message): void {
    const { whenSlow } = this.#rules
    if (whenSlow === 'drop') {
      this.#counters.dropped++
    } else if (whenSlow === 'close' || !this.#holdLatest(member, topic, message)) {
      this.#close(member)
    }
  }

  #close(member: Member): void {
    this.#counters.closed++
    this.#leave(member)
    this.#forget(member)
    member.socket.close(tryAgainLater, 'too much unread')
  }

  /** @returns false if the newest messages of all topics exceed the limit: the client would not notice a dropped one */
  #holdLatest(member: Member, topic: string, message: Message): boolean {
    const held = this.#hold(member)
    if (held.replace(topic, message)) this.#counters.dropped++
    return held.size === 1 || held.cost <= this.#rules.maxBufferedBytes
  }

  #hold(member: Member): Held {
    member.held ??= new Held()
    this.#await(member)
    return member.held
  }

  /** From here on, the member reads a topic from its history, until it has caught up. */
  #fallBehind(member: Member, topic: string, offset: number): void {
    member.behind ??= new Map()
    member.behind.set(topic, offset)
    this.#await(member)
  }

  #await(member: Member): void {
    this.#waiting.add(member)
    this.#timer ??= this.#context.runInAsyncScope(() => setInterval(() => this.#look(), lookMs).unref())
  }

  #look(): void {
    this.#replayedBytes = 0
    let left = this.#waiting.size
    for (const member of this.#waiting) {
      if (left-- === 0) break
      try {
        this.#release(member)
      } catch (error) {
        this.fail(error, member.socket)
      }
      // To the end, so that each has its turn.
      if (this.#waiting.delete(member)) this.#waiting.add(member)
    }
  }

  /** Writes the held messages of a member, as far as there is room for them. */
  #release(member: Member): void {
    const isGone = member.socket.readyState !== open || member.topics.size === 0
    if (isGone) {
      this.#forget(member)
      return
    }
    member.held?.release((message) => this.#isReady(member, message) && this.#write(member, message))
    if (member.held?.size === 0) member.held = undefined
    if (member.behind !== undefined) this.#catchUp(member, member.behind)
    if (member.held !== undefined || member.behind !== undefined) return
    if (member.outdated !== undefined) this.#list(member, member.outdated)
    if (member.outdated === undefined) this.#forget(member)
  }

  /** Writes who is present in the topics of which a member could not be told. */
  #list(member: Member, outdated: Set<string>): void {
    for (const topic of outdated) {
      const list = this.#presentIn(topic)
      if (list !== undefined) {
        const notice = new Message(list, false, true)
        if (!this.#isReady(member, notice) || !this.#write(member, notice)) return
      }
      outdated.delete(topic)
    }
    member.outdated = undefined
  }

  /** Writes messages from the histories of the topics that a member is behind in. */
  #catchUp(member: Member, behind: Map<string, number>): void {
    let left = behind.size
    for (const [topic, offset] of behind) {
      if (left-- === 0) return
      behind.delete(topic)
      const reached = this.#read(member, topic, offset)
      // To the end, so that each topic has its turn.
      if (reached !== undefined) behind.set(topic, reached)
    }
    if (behind.size === 0) member.behind = undefined
  }

  /** @returns the offset of the next message, for which there is no room now; undefined if there is none */
  #read(member: Member, topic: string, from: number): number | undefined {
    const log = this.#history?.find(topic)
    if (log === undefined) return undefined
    let offset = from
    if (offset < log.first) {
      const notice = new Message(gap(log.epoch, log.first - 1, topic), false, false)
      if (!this.#isReady(member, notice) || !this.#write(member, notice)) return offset
      offset = log.first
    }
    for (; offset <= log.last; offset++) {
      const message = log.at(offset)
      if (this.#replayedBytes >= mostReplayedBytes) return offset
      if (!this.#isReady(member, message) || !this.#write(member, message)) return offset
      this.#replayedBytes += message.frame.length
    }
    return undefined
  }

  #forget(member: Member): void {
    member.held = undefined
    member.behind = undefined
    member.outdated = undefined
    if (!this.#waiting.delete(member)) return
    if (this.#waiting.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
