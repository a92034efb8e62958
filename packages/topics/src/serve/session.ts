import { policyViolation, tryAgainLater } from '../close-code.ts'
import { costOf, pieceBytes } from '../cost.ts'
import { TopicsError } from '../errors.ts'
import type { Log } from '../history/log.ts'
import { longestMember } from '../presence/member.ts'
import type { Presence } from '../presence/presence.ts'
import { open } from '../ready-state.ts'
import type { TopicSocket } from '../socket.ts'
import type { Subscriptions } from '../subscriptions.ts'
import { senderOf } from '../ws-sender.ts'
import type { TopicsAccess } from './access.ts'
import * as answers from './answers.ts'
import { Malformed, type Request, readRequest, type Since } from './requests.ts'
import { ask, type Verdict } from './verdict.ts'

/** How many subscriptions of one client, and how many of its messages, may wait for a decision of the application. */
const mostAsked = 100

/** What has become of a message: the offset that it has, or had before, or why it was not published. */
export type Outcome = { readonly offset: number | undefined } | { readonly code: answers.ErrorCode }

/** What sessions need from the topics that they belong to. */
export interface Host {
  readonly subscriptions: Subscriptions
  /** The log of a topic, or a promise of it; undefined if the topic has no history. Call `done` afterwards. */
  open(topic: string, since: Since | undefined): Log | undefined | Promise<Log>
  done(topic: string): void
  readonly presence: Presence
  readonly maxBufferedBytes: number
  /** Sends what the socket has missed of a topic, from this offset on. */
  replay(socket: TopicSocket, topic: string, offset: number): void
  /**
   * Publishes a message of a client, unless one of the same name was published on the topic in the last minute. The
   * promise never rejects.
   */
  publish(topic: string, data: string | Buffer, name: string): Outcome | Promise<Outcome>
  /** Reports an error that the application has thrown. */
  fail(error: unknown, socket: TopicSocket): void
}

/** A socket that speaks the protocol: reads its requests and answers them. */
export class Session {
  readonly socket: TopicSocket
  readonly access: TopicsAccess
  /** How others see the client in the presence of its topics. */
  readonly shown: { readonly id: string; readonly json: string } | undefined
  /** Whether it is one poll of a client, which comes back with the next. */
  isPoll = false
  /** Whether the login of the client has ended, so that nothing more is published for it. */
  isRevoked = false
  readonly #host: Host
  /** The subscriptions that wait for `mayRead`. */
  readonly #asked = new Map<string, object>()
  /** The messages that wait for their answer, and their bytes, and those among them that wait for `mayPublish`. */
  #asking = 0
  #deciding = 0
  #askingBytes = 0
  /** What the answers may take that there was no room for, in bytes. */
  #overdraft = 0
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws TypeError if `access.presence` cannot be JSON, or is too long for that */
  constructor(socket: TopicSocket, access: TopicsAccess, host: Host) {
    this.socket = socket
    this.access = access
    this.#host = host
    if (access.presence === undefined) return
    const { id, info } = access.presence
    const json = JSON.stringify({ id, info })
    if (json.length > longestMember) {
      throw new TypeError(`access.presence: expected at most ${longestMember} characters of JSON; got ${json.length}`)
    }
    this.shown = { id, json }
  }

  /** Handles a message of the client. */
  receive(message: Buffer, isBinary: boolean): void {
    const { socket } = this
    if (socket.readyState !== open) return
    if (!this.#mayAsk()) {
      socket.close(tryAgainLater, 'too much unread')
      return
    }
    try {
      const request = readRequest(message)
      if (request !== undefined) this.#handle(request, isBinary)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      socket.close(policyViolation, error.message)
    }
  }

  /** Ends all subscriptions. */
  end(): void {
    this.#asked.clear()
    this.#host.presence.leave(this)
    this.#host.subscriptions.leave(this.socket)
  }

  /** Never throws, because most answers are sent later, when nobody could catch it. */
  send(answer: string): void {
    try {
      if (this.socket.readyState === open) this.socket.send(answer)
    } catch (error) {
      this.#host.fail(error, this.socket)
    }
  }

  /**
   * Each request has an answer, so a client that does not read must not go on asking. But one that catches up, so that its
   * room is full, may publish meanwhile.
   */
  #mayAsk(): boolean {
    const { maxBufferedBytes } = this.#host
    if (costOf(this.socket, senderOf(this.socket)) <= maxBufferedBytes) this.#overdraft = 0
    else this.#overdraft += pieceBytes
    return this.#overdraft <= maxBufferedBytes
  }

  #handle(request: Request, isBinary: boolean): void {
    const { topic } = request
    switch (request.kind) {
      case 'subscribe':
        this.subscribe(topic, request.since)
        break
      case 'unsubscribe':
        this.#asked.delete(topic)
        this.#unsubscribe(topic)
        this.send(answers.unsubscribed(topic))
        break
      case 'publish':
        this.publish(request, isBinary)
        break
      case 'presence':
        this.watch(topic)
        break
      case 'ping':
        this.send(answers.pong)
    }
  }

  /** Asks the application whether the client may subscribe to a topic. A later request takes the place of this one. */
  subscribe(topic: string, since: Since | undefined): void {
    if (this.#asked.size >= mostAsked) {
      this.send(answers.refused('busy', 'subscribe', topic))
      return
    }
    const turn = {}
    this.#asked.set(topic, turn)
    const isCurrent = (): boolean => this.#asked.get(topic) === turn && this.socket.readyState === open
    const refuse = (code: answers.ErrorCode): void => {
      this.#asked.delete(topic)
      // The client may have been subscribed before it asked again.
      this.#unsubscribe(topic)
      this.send(answers.refused(code, 'subscribe', topic))
    }
    const begin = (log: Log | undefined): void => {
      try {
        if (!isCurrent()) return
        const code = this.#begin(topic, since, log)
        if (code === undefined) this.#asked.delete(topic)
        else refuse(code)
      } finally {
        this.#host.done(topic)
      }
    }
    const decide = (verdict: Verdict): void | Promise<void> => {
      if (!isCurrent()) return
      const code = this.#codeOf(verdict)
      if (code !== undefined) {
        refuse(code)
        return
      }
      const log = this.#host.open(topic, since)
      if (!(log instanceof Promise)) {
        begin(log)
        return
      }
      return log.then(begin, () => {
        if (isCurrent()) refuse('failed')
        this.#host.done(topic)
      })
    }
    // The application's function for the history may throw too.
    const fail = (error: unknown): void => {
      this.#host.fail(error, this.socket)
      if (isCurrent()) refuse('failed')
    }
    const verdict = ask(() => this.access.mayRead(topic))
    if (verdict instanceof Promise) {
      verdict.then(decide).catch(fail)
      return
    }
    try {
      const later = decide(verdict)
      later?.catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  /** @returns why the subscription is refused; undefined if it has begun */
  #begin(topic: string, since: Since | undefined, log: Log | undefined): answers.ErrorCode | undefined {
    const { presence, replay, subscriptions } = this.#host
    try {
      // A client that asks again says from where to go on.
      subscriptions.remove(this.socket, topic)
      subscriptions.add(this.socket, topic)
    } catch (error) {
      if (!(error instanceof TopicsError)) throw error
      return 'limit'
    }
    const { beginning, offset } = beginningOf(log, since)
    this.send(answers.subscribed(log?.epoch, offset, beginning, topic))
    if (log !== undefined && offset !== undefined && offset < log.last) replay(this.socket, topic, offset + 1)
    presence.join(this, topic)
    return undefined
  }

  #unsubscribe(topic: string): void {
    this.#host.presence.part(this, topic)
    this.#host.subscriptions.remove(this.socket, topic)
  }

  /** Messages of one client are published in the order in which it has sent them. */
  publish({ topic, id, payload }: PublishRequest, isBinary: boolean): void {
    const { length } = payload
    if (this.#asking >= mostAsked || (this.#asking > 0 && this.#askingBytes + length > this.#host.maxBufferedBytes)) {
      this.send(answers.refused('busy', 'publish', topic, id))
      return
    }
    this.#asking++
    this.#askingBytes += length
    const data = isBinary ? payload : payload.toString()
    const answer = (outcome: Outcome): void => {
      this.#asking--
      this.#askingBytes -= length
      this.send(
        'code' in outcome ? answers.refused(outcome.code, 'publish', topic, id) : answers.published(id, outcome.offset)
      )
    }
    const decide = (verdict: Verdict): void => {
      const code = this.#codeOf(verdict)
      const refusal = this.isRevoked ? 'forbidden' : code
      const outcome = refusal === undefined ? this.#admit(topic, data, id) : { code: refusal }
      if (outcome instanceof Promise) void outcome.then(answer)
      else answer(outcome)
    }
    const verdict = ask(() => this.access.mayPublish(topic, data))
    if (this.#deciding === 0 && !(verdict instanceof Promise)) {
      decide(verdict)
      return
    }
    this.#deciding++
    this.#turn = this.#inTurn(verdict, (decided) => {
      this.#deciding--
      decide(decided)
    })
  }

  /** Calls `decide` once the verdict is there, and all earlier ones were decided. Never rejects. */
  async #inTurn(verdict: Verdict | Promise<Verdict>, decide: (verdict: Verdict) => void): Promise<void> {
    const earlier = this.#turn
    const decided = await verdict
    await earlier
    try {
      decide(decided)
    } catch (error) {
      this.#host.fail(error, this.socket)
    }
  }

  /** Publishes a message. What the application throws, for example about the history, counts as a failure. */
  #admit(topic: string, data: string | Buffer, id: string): Outcome | Promise<Outcome> {
    try {
      return this.#host.publish(topic, data, `${id} ${this.access.key ?? ''}`)
    } catch (error) {
      this.#host.fail(error, this.socket)
      return { code: 'failed' }
    }
  }

  /** Shows who is present in a topic, now and from here on. */
  watch(topic: string): void {
    const { presence, subscriptions } = this.#host
    const isSubscribed = subscriptions.memberOf(this.socket)?.topics.has(topic) === true
    if (isSubscribed) presence.watch(this, topic)
    else this.send(answers.refused('forbidden', 'presence', topic))
  }

  /** Why a request is refused; undefined if it is allowed. Reports what the application has thrown. */
  #codeOf({ isAllowed, error }: Verdict): answers.ErrorCode | undefined {
    if (error !== undefined) this.#host.fail(error, this.socket)
    if (isAllowed) return undefined
    return error === undefined ? 'forbidden' : 'failed'
  }
}

export type PublishRequest = Extract<Request, { kind: 'publish' }>

interface Beginning {
  readonly beginning: answers.Beginning
  /** The messages after this offset follow. */
  readonly offset: number | undefined
}

/** Where a subscription begins: behind the last message that the client has seen, if the history goes back that far. */
function beginningOf(log: Log | undefined, since: Since | undefined): Beginning {
  if (log === undefined) return { beginning: since === undefined || since === 'all' ? 'new' : 'gap', offset: undefined }
  if (since === undefined) return { beginning: 'new', offset: log.last }
  const before = log.first - 1
  if (since === 'all') return { beginning: 'new', offset: before }
  const isKnown = since.epoch === log.epoch && since.offset >= before && since.offset <= log.last
  return isKnown ? { beginning: 'resumed', offset: since.offset } : { beginning: 'gap', offset: before }
}
