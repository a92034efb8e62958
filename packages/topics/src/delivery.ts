import type { Context } from './context.ts'
import { costOf } from './cost.ts'
import { Held } from './held.ts'
import type { Member } from './member.ts'
import type { Message } from './message.ts'
import type { ResolvedOptions } from './options.ts'
import { closed, open } from './ready-state.ts'
import type { TopicSocket } from './socket.ts'
import type { Counters } from './stats.ts'
import { flushThrough, Tick } from './tick.ts'
import { tell } from './told.ts'
import { isIdle, isWithinMessage } from './ws-sender.ts'

/** Try again later: of the registry that RFC 6455 §11.7 has made. */
const tryAgainLater = 1013

/** Milliseconds between two looks at sockets for which messages wait. `ws` does not tell when a fragmented one ends. */
const lookMs = 25

/**
 * The part of `maxBufferedBytes` past which messages get memory of their own: before it, a client has at most one piece of
 * 8 KiB for each `pieceBytes` waiting, so half of `maxBufferedBytes`.
 */
const sharedPart = 1 / 32

type Rules = Pick<ResolvedOptions, 'maxBufferedBytes' | 'whenSlow' | 'onError'>

/** Brings messages to sockets: in order with what the application sends itself, and never too much. */
export class Delivery {
  readonly #rules: Rules
  readonly #counters: Counters
  readonly #leave: (member: Member) => void
  readonly #context: Context
  readonly #tick: Tick
  readonly #waiting = new Set<Member>()
  #timer: NodeJS.Timeout | undefined

  /**
   * @param leave ends all subscriptions of a member
   * @param context what happens later than a call happens in it, since that may be for another client
   */
  constructor(rules: Rules, counters: Counters, leave: (member: Member) => void, context: Context) {
    this.#rules = rules
    this.#counters = counters
    this.#leave = leave
    this.#context = context
    this.#tick = new Tick(context, (error, member) => this.fail(error, member.socket))
  }

  /** @returns whether the message was written, or will be as it is */
  deliver(member: Member, topic: string, message: Message): boolean {
    try {
      return this.#offer(member, topic, message)
    } catch (error) {
      this.fail(error, member.socket)
      return false
    }
  }

  /** Counts and tells that a socket has thrown. Never throws. */
  fail(error: unknown, socket: TopicSocket): void {
    this.#counters.failed++
    tell('onError', this.#rules.onError, error, socket)
  }

  /** Writes out what is held back, and forgets what waits. */
  close(): void {
    this.#tick.flush()
    for (const member of [...this.#waiting]) this.#forget(member)
  }

  #offer(member: Member, topic: string, message: Message): boolean {
    const { socket, sender } = member
    if (socket.readyState !== open) {
      // Its event `close` has not come here: somebody has removed all its listeners.
      if (socket.readyState === closed) this.#leave(member)
      return false
    }
    if (member.held !== undefined) this.#release(member)
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
    // What waits for the end of the tick says nothing about the client.
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

  /** Does what the policy says about a message for which there is no room. */
  #refuse(member: Member, topic: string, message: Message): void {
    const { whenSlow } = this.#rules
    if (whenSlow === 'drop') {
      this.#counters.dropped++
    } else if (whenSlow === 'close' || !this.#holdLatest(member, topic, message)) {
      this.#counters.closed++
      this.#leave(member)
      this.#forget(member)
      member.socket.close(tryAgainLater, 'too much unread')
    }
  }

  /** @returns false where the newest messages of all topics are too much: one that is left out would never be missed */
  #holdLatest(member: Member, topic: string, message: Message): boolean {
    const held = this.#hold(member)
    if (held.replace(topic, message)) this.#counters.dropped++
    return held.size === 1 || held.cost <= this.#rules.maxBufferedBytes
  }

  #hold(member: Member): Held {
    member.held ??= new Held()
    this.#waiting.add(member)
    this.#timer ??= this.#context.runInAsyncScope(() => setInterval(() => this.#look(), lookMs).unref())
    return member.held
  }

  #look(): void {
    for (const member of this.#waiting) {
      try {
        this.#release(member)
      } catch (error) {
        this.fail(error, member.socket)
      }
    }
  }

  /** Writes what waits for a member, as much of it as there is room for. */
  #release(member: Member): void {
    const isGone = member.socket.readyState !== open || member.topics.size === 0
    if (!isGone) member.held?.release((message) => this.#isReady(member, message) && this.#write(member, message))
    if (isGone || member.held?.size === 0) this.#forget(member)
  }

  #forget(member: Member): void {
    member.held = undefined
    this.#waiting.delete(member)
    if (this.#waiting.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
