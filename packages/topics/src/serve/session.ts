import { costOf } from '../cost.ts'
import { TopicsError } from '../errors.ts'
import type { History } from '../history/history.ts'
import type { Log } from '../history/log.ts'
import { open } from '../ready-state.ts'
import type { TopicSocket } from '../socket.ts'
import type { Subscriptions } from '../subscriptions.ts'
import { senderOf } from '../ws-sender.ts'
import type { TopicsAccess } from './access.ts'
import * as answers from './answers.ts'
import type { Presence } from './presence.ts'
import type { PublishIds } from './publish-ids.ts'
import { Malformed, type Request, readRequest, type Since } from './requests.ts'
import { ask, type Verdict } from './verdict.ts'

/** The close codes 1008, Policy Violation, and 1013, Try Again Later. RFC 6455 §7.4.1 and §11.7. */
const policyViolation = 1008
const tryAgainLater = 1013

/** How many subscriptions of one client, and how many of its messages, may wait for a decision of the application. */
const mostAsked = 100

/** What sessions need from the topics that they belong to. */
export interface Host {
  readonly subscriptions: Subscriptions
  readonly history: History | undefined
  readonly presence: Presence
  readonly ids: PublishIds
  readonly maxBufferedBytes: number
  /** Sends what the socket has missed of a topic, from this offset on. */
  replay(socket: TopicSocket, topic: string, offset: number): void
  /** @returns the offset of the message; undefined if the topic has no history */
  publish(topic: string, data: string | Buffer): number | undefined
  /** Reports an error that the application has thrown. */
  fail(error: unknown, socket: TopicSocket): void
}

/** A socket that speaks the protocol: reads its requests and answers them. */
export class Session {
  readonly socket: TopicSocket
  readonly access: TopicsAccess
  /** How others see the client in the presence of its topics. */
  readonly shown: { readonly id: string; readonly json: string } | undefined
  readonly #host: Host
  /** The subscriptions that wait for `mayRead`. */
  readonly #asked = new Map<string, object>()
  /** The messages that wait for `mayPublish`, and their bytes. */
  #asking = 0
  #askingBytes = 0
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws TypeError if `access.presence.info` cannot be JSON */
  constructor(socket: TopicSocket, access: TopicsAccess, host: Host) {
    this.socket = socket
    this.access = access
    this.#host = host
    if (access.presence === undefined) return
    const { id, info } = access.presence
    this.shown = { id, json: JSON.stringify({ id, info }) }
  }

  /** Handles a message of the client. */
  receive(message: Buffer, isBinary: boolean): void {
    const { socket } = this
    if (socket.readyState !== open) return
    // Each request has an answer, so a client that does not read must not go on asking.
    if (costOf(socket, senderOf(socket)) > this.#host.maxBufferedBytes) {
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

  send(answer: string): void {
    if (this.socket.readyState === open) this.socket.send(answer)
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
    const decide = (verdict: Verdict): void => {
      if (this.#asked.get(topic) !== turn) return
      this.#asked.delete(topic)
      if (this.socket.readyState !== open) return
      const code = this.#codeOf(verdict) ?? this.#begin(topic, since)
      if (code === undefined) return
      // The client may have been subscribed before it asked again.
      this.#unsubscribe(topic)
      this.send(answers.refused(code, 'subscribe', topic))
    }
    const verdict = ask(() => this.access.mayRead(topic))
    if (verdict instanceof Promise) void verdict.then(decide)
    else decide(verdict)
  }

  /** @returns why the subscription is refused; undefined if it has begun */
  #begin(topic: string, since: Since | undefined): answers.ErrorCode | undefined {
    const { history, presence, replay, subscriptions } = this.#host
    try {
      // A client that asks again says from where to go on.
      subscriptions.remove(this.socket, topic)
      subscriptions.add(this.socket, topic)
    } catch (error) {
      if (!(error instanceof TopicsError)) throw error
      return 'limit'
    }
    const log = history?.logOf(topic)
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
    const data = isBinary ? payload : payload.toString()
    const verdict = ask(() => this.access.mayPublish(topic, data))
    const decide = (decided: Verdict): void => {
      const code = this.#codeOf(decided)
      this.send(code === undefined ? this.#admit(topic, id, data) : answers.refused(code, 'publish', topic, id))
    }
    if (this.#asking === 0 && !(verdict instanceof Promise)) {
      decide(verdict)
      return
    }
    this.#asking++
    this.#askingBytes += length
    this.#turn = this.#inTurn(verdict, (decided) => {
      this.#asking--
      this.#askingBytes -= length
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

  /** Publishes a message, unless one with its ID was published before. @returns the answer */
  #admit(topic: string, id: string, data: string | Buffer): string {
    const { ids, publish } = this.#host
    const name = `${id} ${this.access.key ?? ''}\n${topic}`
    const earlier = ids.find(name)
    if (earlier !== undefined) return answers.published(id, earlier.offset)
    if (ids.isFull) return answers.refused('busy', 'publish', topic, id)
    const offset = publish(topic, data)
    ids.add(name, offset)
    return answers.published(id, offset)
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
