import { Held } from './held.ts'
import type { Member } from './member.ts'
import type { Message } from './message.ts'
import type { ResolvedOptions } from './options.ts'
import { closed, open } from './ready-state.ts'
import type { Counters } from './stats.ts'
import { flushThrough, Tick } from './tick.ts'
import { isIdle, isWithinMessage } from './ws-sender.ts'

/** Try again later: of the registry that RFC 6455 §11.7 has made. */
const tryAgainLater = 1013

/** Milliseconds between two looks at sockets for which messages wait. `ws` does not tell when a fragmented one ends. */
const lookMs = 25

type Rules = Pick<ResolvedOptions, 'maxBufferedBytes' | 'whenSlow' | 'onError'>

/** Brings messages to sockets: in order with what the application sends itself, and never too much. */
export class Delivery {
  readonly #rules: Rules
  readonly #counters: Counters
  readonly #leave: (member: Member) => void
  readonly #tick = new Tick((error, member) => this.#fail(error, member))
  readonly #waiting = new Set<Member>()
  #timer: NodeJS.Timeout | undefined

  /** @param leave ends all subscriptions of a member */
  constructor(rules: Rules, counters: Counters, leave: (member: Member) => void) {
    this.#rules = rules
    this.#counters = counters
    this.#leave = leave
  }

  /** @returns whether the message was written, or will be as it is */
  deliver(member: Member, topic: string, message: Message): boolean {
    try {
      return this.#offer(member, topic, message)
    } catch (error) {
      this.#fail(error, member)
      return false
    }
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
    if (member.held === undefined && this.#isReady(member)) return this.#write(member, message)
    const unwritten = socket.bufferedAmount + (member.held?.bytes ?? 0)
    if (isWithinMessage(sender) && unwritten <= this.#rules.maxBufferedBytes) {
      this.#hold(member).add(message)
      return true
    }
    this.#refuse(member, topic, message)
    return false
  }

  #isReady(member: Member): boolean {
    if (isWithinMessage(member.sender)) return false
    const { socket } = member
    const { maxBufferedBytes } = this.#rules
    if (socket.bufferedAmount <= maxBufferedBytes) return true
    // What waits for the end of the tick says nothing about the client.
    flushThrough(member)
    return socket.bufferedAmount <= maxBufferedBytes
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
    if (whenSlow === 'latest') {
      if (this.#hold(member).replace(topic, message)) this.#counters.dropped++
    } else if (whenSlow === 'drop') {
      this.#counters.dropped++
    } else {
      this.#counters.closed++
      this.#leave(member)
      this.#forget(member)
      member.socket.close(tryAgainLater, 'too much unread')
    }
  }

  #hold(member: Member): Held {
    member.held ??= new Held()
    this.#waiting.add(member)
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref()
    return member.held
  }

  #look(): void {
    for (const member of this.#waiting) {
      try {
        this.#release(member)
      } catch (error) {
        this.#fail(error, member)
      }
    }
  }

  /** Writes what waits for a member, as much of it as there is room for. */
  #release(member: Member): void {
    const isGone = member.socket.readyState !== open || member.topics.size === 0
    if (!isGone) member.held?.release((message) => this.#isReady(member) && this.#write(member, message))
    if (isGone || member.held?.isEmpty) this.#forget(member)
  }

  #forget(member: Member): void {
    member.held = undefined
    this.#waiting.delete(member)
    if (this.#waiting.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #fail(error: unknown, member: Member): void {
    this.#counters.failed++
    try {
      this.#rules.onError(error, member.socket)
    } catch (fault) {
      // Later, so that the other sockets get their message and none stays corked.
      process.nextTick(() => {
        throw fault
      })
    }
  }
}
