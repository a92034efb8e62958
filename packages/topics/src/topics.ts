import type { IncomingMessage } from 'node:http'
import { keeps, type Position } from './backplane.ts'
import { goingAway } from './close-code.ts'
import { Context } from './context.ts'
import { Delivery } from './delivery.ts'
import type { Opened } from './envelope.ts'
import { checkNames, expected, TopicsError } from './errors.ts'
import { type Except, type Excepted, exceptedOf, isExcepted } from './except.ts'
import { History } from './history/history.ts'
import type { Log, LogLimits } from './history/log.ts'
import { SharedHistory } from './history/shared-history.ts'
import { Http, type RespondClient } from './http/http.ts'
import { type Open, respond, type TopicsResponse } from './http/respond.ts'
import { type HandedOver, Link } from './link.ts'
import type { Member } from './member.ts'
import { Message, type MessageData } from './message.ts'
import { resolveOptions, type TopicsOptions } from './options.ts'
import { intervalMs, Presence } from './presence/presence.ts'
import { Publication } from './publication.ts'
import type { TopicsAccess } from './serve/access.ts'
import { PublishIds } from './serve/publish-ids.ts'
import { checkAccess, Serving } from './serve/serving.ts'
import type { Outcome } from './serve/session.ts'
import type { ServedSocket, TopicSocket } from './socket.ts'
import { Counters, type TopicsStats } from './stats.ts'
import { checkSubscription, checkTopic, Subscriptions } from './subscriptions.ts'

/** Options of `publish`. */
export interface PublishOptions<Socket extends TopicSocket = TopicSocket> {
  /**
   * A socket of this node that does not get the message, or several in a `Set` or an array. Sockets that are served over
   * the protocol get the messages of topics with history in any case, because they count them. It cannot be used for a
   * topic with history on a backplane.
   * @default none
   */
  except?: Except<Socket> | null | undefined
  /**
   * Whether to send a binary message. Bytes sent as text must be UTF-8.
   * @default true for everything but a string
   */
  binary?: boolean | undefined
  /**
   * Whether to compress the message for connections with permessage-deflate.
   * @default true
   */
  compress?: boolean | undefined
}

/**
 * The result of publishing a message. `local` is the number of sockets of this node to which it was sent. `backplane`
 * is the result for the other nodes:
 *
 * - `'none'`: there is no backplane.
 * - `'sent'`: the backplane has the message. Whether another node gets it is unknown.
 * - `'failed'`: the message was not handed to the backplane, or that is unknown; `error` says why.
 */
export type Published =
  | {
      /** The number of sockets of this node to which the message was sent. */
      readonly local: number
      /** Whether the backplane has the message. */
      readonly backplane: 'none' | 'sent'
    }
  | {
      /** The number of sockets of this node to which the message was sent. */
      readonly local: number
      /** Whether the backplane has the message. */
      readonly backplane: 'failed'
      /** Why the backplane does not have it, or may not. */
      readonly error: unknown
    }

/** Topics of one node, or with a backplane of all nodes. `Topics<WebSocket>` returns sockets of that type. */
export interface Topics<Socket extends TopicSocket = TopicSocket> {
  /** The subprotocol of clients that `serve` speaks with: `oneport.topics.1` (RFC 6455 §1.9). */
  readonly subprotocol: string
  /**
   * Subscribes a socket to a topic. When the socket closes, its subscriptions end. With a backplane, messages from
   * other nodes arrive once the backplane has subscribed too.
   * @returns false if the socket is already subscribed, or is not open
   * @throws TopicsError if a limit is reached, or after `close()`
   * @throws TypeError if `socket` is not a `WebSocket` of `ws`, or `topic` is not a string
   */
  subscribe(socket: Socket, topic: string): boolean
  /**
   * Ends the subscription of a socket to a topic.
   * @returns false if the socket was not subscribed
   * @throws TypeError if `socket` is not a `WebSocket` of `ws`, or `topic` is not a string
   */
  unsubscribe(socket: Socket, topic: string): boolean
  /**
   * Sends a message to all subscribers of a topic: the sockets of this node, and through the backplane those of other
   * nodes. On this node, everything sent to a socket within one tick is written together, when the tick ends. If the
   * backplane fails, `stats()` counts it and `onBackplaneError` is called; the message is not sent again.
   * @returns the number of sockets of this node to which the message was sent
   * @throws TypeError if the topic is not a string, or the data or an option is invalid; nobody gets the message then
   */
  publish(topic: string, data: MessageData, options?: PublishOptions<Socket>): number
  /**
   * Like `publish`, but also reports whether the message was handed to the backplane.
   * @returns a promise that resolves once that is known, and never rejects
   * @throws TypeError like `publish`
   */
  publishAndConfirm(topic: string, data: MessageData, options?: PublishOptions<Socket>): Promise<Published>
  /**
   * Serves a client over the protocol `oneport.topics.1`, in which it subscribes and publishes itself: see
   * docs/topics-protocol.md. Offer it as the subprotocol of the endpoint. Malformed requests close the socket with 1008
   * (Policy Violation).
   * @param access what the client may read and publish, and who it is
   * @throws TypeError if the socket is not a `WebSocket` of `ws`, is served or subscribed already, or `access` is wrong
   * @throws TopicsError after `close()`
   */
  serve(socket: Socket & ServedSocket, access: TopicsAccess): void
  /**
   * Answers a request of a client that speaks the same protocol over plain HTTP, for networks without WebSocket: see
   * docs/topics-http.md. A GET with `Accept: text/event-stream` is answered with a stream of Server-Sent Events, any other
   * GET as soon as there is something to tell, and a POST publishes its body. It does not check the origin: `serveTopics`
   * of `@oneport/core` and of the adapters does.
   * @param access what the client may read and publish, and who it is
   * @param body the body of a POST if middleware has read it: a string or a Buffer; by default `req.body`
   * @param client what the request does not say about its client
   * @returns a promise of the response, for the application to send. It rejects if the client leaves
   * @throws TypeError if `access` is wrong
   */
  respond(req: IncomingMessage, access: TopicsAccess, body?: unknown, client?: RespondClient): Promise<TopicsResponse>
  /**
   * Ends what clients with this `access.key` may do: closes their sockets with 4401 and ends their subscriptions.
   * @returns the number of sockets
   * @throws TypeError if the key is not a string
   */
  revoke(key: string): number
  /** The sockets of this node that are subscribed to a topic. */
  subscribers(topic: string): Socket[]
  /** The topics that a socket is subscribed to. */
  topicsOf(socket: Socket): string[]
  /** Current numbers, and totals since `createTopics`. */
  stats(): TopicsStats
  /**
   * Ends all subscriptions and closes the backplane. The sockets stay open, and what was written to them is still sent.
   * @returns a promise that resolves when the backplane is closed, and never rejects
   */
  close(): Promise<void>
}

/**
 * Creates a set of topics. `createTopics<WebSocket>()` sets the type of the sockets that `subscribers()` returns and
 * `onError` gets.
 * @throws TypeError for an invalid option
 */
export function createTopics<Socket extends TopicSocket = TopicSocket>(options?: TopicsOptions<Socket>): Topics<Socket>
export function createTopics(options: TopicsOptions = {}): Topics {
  return createTopicsAt(intervalMs, options)
}

/** @param presenceMs the interval at which nodes with watchers ask who is present, in milliseconds */
export function createTopicsAt(presenceMs: number, options: TopicsOptions): Topics {
  const resolved = resolveOptions(options)
  const { backplane, history: limitsOf, onBackplaneError } = resolved
  // Timers and subscriptions serve all clients, so they must not run in the AsyncLocalStorage context of one.
  const context = new Context()
  const counters = new Counters()
  const link =
    backplane &&
    new Link(
      backplane,
      {
        receive: (topic, message, position) => receive(topic, message, position),
        notice: (topic, node, notice) => presence.receive(topic, node, notice),
        lost: (topic) => {
          shared?.refresh(topic)
          presence.refresh(topic)
        },
        onError: onBackplaneError
      },
      context
    )
  const history = limitsOf && createHistory(limitsOf)
  const shared =
    backplane && keeps(backplane) && limitsOf && history && link
      ? new SharedHistory({ backplane, history, limitsOf, deliver, reportGap }, link, context)
      : undefined
  const subscriptions: Subscriptions = new Subscriptions(resolved, (socket) => serving.has(socket), shared ?? link)
  const leave = ({ socket }: { socket: TopicSocket }): void => {
    serving.end(socket)
    subscriptions.leave(socket)
  }
  const presentIn = (topic: string): string | undefined => presence.presentIn(topic)
  const delivery = new Delivery(resolved, counters, leave, context, history, presentIn)
  const presence: Presence = new Presence({
    most: resolved.maxPresence,
    tell: ({ socket }, topic, notice) => {
      const member = subscriptions.memberOf(socket)
      if (member !== undefined) delivery.notify(member, topic, notice)
    },
    link,
    context,
    intervalMs: presenceMs
  })
  const ids = new PublishIds(resolved.maxPublishIds)
  const serving: Serving = new Serving({
    ...resolved,
    subscriptions,
    delivery,
    presence,
    open: (topic, since) => (shared ? shared.open(topic, since) : history?.logOf(topic)),
    done: (topic) => shared?.done(topic),
    publish: publishOfClient
  })
  const http = new Http(resolved, context)
  let isClosed = false

  function createHistory(limitsOf: NonNullable<typeof resolved.history>): History {
    const isInUse = (topic: string): boolean =>
      subscriptions.membersOf(topic) !== undefined || shared?.follows(topic) === true
    return new History({ limitsOf, maxBytes: resolved.maxHistoryBytes, isInUse }, context)
  }

  /** @returns the number of sockets to which the message was sent */
  function deliver(publication: Publication, excepted?: Excepted): number {
    const members = subscriptions.membersOf(publication.topic)
    if (members === undefined) return 0
    let reached = 0
    // Sockets that subscribe meanwhile, for example from `onError`, are last in the set and do not get the message.
    let left = members.size
    for (const member of members) {
      if (left-- === 0) break
      if (excepted !== undefined && isExcepted(member.socket, excepted) && !hasOffsets(member, publication)) continue
      if (delivery.deliver(member, publication)) reached++
    }
    return reached
  }

  function reportGap(topic: string, log: Log, last: number): void {
    for (const member of [...(subscriptions.membersOf(topic) ?? [])]) delivery.reportGap(member, topic, log, last)
  }

  function receive(topic: string, message: Opened, position: Position | undefined): void {
    if (position !== undefined) {
      shared?.take(topic, message, position)
      return
    }
    // The last subscriber may have left while the message was on its way.
    if (subscriptions.membersOf(topic) === undefined) return
    deliver(new Publication(topic, undefined, message.payload, message.isBinary, message.compress))
  }

  function publish(topic: string, data: MessageData, options: PublishOptions = {}): Handed {
    checkTopic('publish', topic)
    checkNames('publish', options, publishNames)
    const { except, binary = typeof data !== 'string', compress = true } = options
    if (typeof binary !== 'boolean') throw expected('publish: binary', 'a boolean', binary)
    if (typeof compress !== 'boolean') throw expected('publish: compress', 'a boolean', compress)
    const excepted = exceptedOf(except)
    const limits = shared && limitsOf?.(topic)
    if (limits !== undefined) return append(topic, new Message(data, binary, compress), limits, excepted)
    const log = shared ? undefined : history?.logOf(topic)
    const offset = log && log.last + 1
    const publication = new Publication(topic, offset, data, binary, compress)
    if (log !== undefined) history?.append(topic, log, publication.served)
    counters.published++
    const local = deliver(publication, excepted)
    return { local, offset, handedOver: link?.publish(topic, publication.plain) }
  }

  /** Has a message kept by the backplane, from where it comes back to this node too, in its order. */
  function append(topic: string, message: Message, limits: LogLimits, excepted?: Excepted, name?: string): Handed {
    if (excepted !== undefined) {
      throw new TypeError(
        'publish: except cannot be used with a history on a backplane: the message has an offset for all'
      )
    }
    counters.published++
    const local = subscriptions.membersOf(topic)?.size ?? 0
    return { local, offset: undefined, handedOver: link?.append(topic, message, limits, name) }
  }

  function publishOfClient(topic: string, data: string | Buffer, name: string): Outcome | Promise<Outcome> {
    const limits = shared && limitsOf?.(topic)
    if (limits !== undefined) {
      const message = new Message(data, typeof data !== 'string', true)
      return outcomeOf(append(topic, message, limits, undefined, name).handedOver)
    }
    const known = `${name}\n${topic}`
    const earlier = ids.find(known)
    if (earlier !== undefined) return earlier
    if (ids.isFull) return { code: 'busy' }
    const { offset } = publish(topic, data)
    ids.add(known, offset)
    return { offset }
  }

  return {
    subprotocol: 'oneport.topics.1',

    subscribe(socket, topic) {
      checkSubscription('subscribe', socket, topic)
      if (isClosed) throw new TopicsError('TOPICS_CLOSED', closedMessage)
      return subscriptions.add(socket, topic)
    },

    unsubscribe(socket, topic) {
      checkSubscription('unsubscribe', socket, topic)
      return subscriptions.remove(socket, topic)
    },

    publish: (topic, data, options) => publish(topic, data, options).local,

    publishAndConfirm(topic, data, options) {
      const { local, handedOver } = publish(topic, data, options)
      return confirm(local, handedOver)
    },

    serve(socket, access) {
      if (isClosed) throw new TopicsError('TOPICS_CLOSED', closedMessage)
      serving.serve(socket, access)
    },

    respond(req, access, body, client = {}) {
      checkAccess('respond', access)
      const open: Open = (socket) => {
        const session = serving.open(socket, access)
        if (isClosed) socket.close(goingAway)
        return session
      }
      return respond({ http, req, client, body, open })
    },
    revoke: (key) => serving.revoke(key),

    subscribers: (topic) => Array.from(subscriptions.membersOf(topic) ?? [], ({ socket }) => socket),
    topicsOf: (socket) => subscriptions.topicsOf(socket),
    stats: () => ({
      ...subscriptions.counts,
      ...counters,
      served: serving.count,
      presence: presence.count,
      httpClients: http.count,
      http: http.reports.counts,
      history: history?.counts,
      backplane: link?.stats
    }),

    async close() {
      isClosed = true
      presence.close()
      const closed = link?.close()
      serving.close()
      subscriptions.leaveAll((error, socket) => delivery.fail(error, socket))
      shared?.close()
      delivery.close()
      history?.close()
      await closed
    }
  }
}

const closedMessage = 'These topics are closed.'

const publishNames: Record<keyof PublishOptions, true> = { except: true, binary: true, compress: true }

/** Whether a socket would take a message that it does not get for a lost one. */
const hasOffsets = ({ isServed }: Member, { offset }: Publication): boolean => isServed && offset !== undefined

interface Handed {
  readonly local: number
  readonly offset: number | undefined
  readonly handedOver: Promise<HandedOver> | undefined
}

async function outcomeOf(handedOver: Promise<HandedOver> | undefined): Promise<Outcome> {
  const result = await handedOver
  return result?.isSent ? { offset: result.offset } : { code: 'failed' }
}

async function confirm(local: number, handedOver: Promise<HandedOver> | undefined): Promise<Published> {
  if (handedOver === undefined) return { local, backplane: 'none' }
  const result = await handedOver
  return result.isSent ? { local, backplane: 'sent' } : { local, backplane: 'failed', error: result.error }
}
