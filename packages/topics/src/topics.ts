import { Context } from './context.ts'
import { Delivery } from './delivery.ts'
import type { Opened } from './envelope.ts'
import { checkNames, expected, TopicsError } from './errors.ts'
import { type Except, type Excepted, exceptedOf, isExcepted } from './except.ts'
import { type HandedOver, Link } from './link.ts'
import { Message, type MessageData } from './message.ts'
import { resolveOptions, type TopicsOptions } from './options.ts'
import type { TopicSocket } from './socket.ts'
import { Counters, type TopicsStats } from './stats.ts'
import { checkSubscription, checkTopic, Subscriptions } from './subscriptions.ts'

/** Options of `publish`. */
export interface PublishOptions<Socket extends TopicSocket = TopicSocket> {
  /**
   * A socket of this node that does not get the message, or several in a `Set` or a list.
   * @default none
   */
  except?: Except<Socket> | null | undefined
  /**
   * Whether the message is binary; a text message has to be UTF-8.
   * @default true for everything but a string
   */
  binary?: boolean | undefined
  /**
   * Whether connections with permessage-deflate get it compressed.
   * @default true
   */
  compress?: boolean | undefined
}

/**
 * What came of a message. `local` is the number of sockets of this node that it reached. For the other nodes:
 *
 * - `'none'`: there is no backplane.
 * - `'sent'`: the backplane has it. Whether another node has the topic, or gets it, nobody knows.
 * - `'failed'`: it could not be handed over, or nobody knows whether it was; `error` says why.
 */
export type Published =
  | {
      /** The number of sockets of this node that it reached. */
      readonly local: number
      /** Whether the other nodes got it. */
      readonly backplane: 'none' | 'sent'
    }
  | {
      /** The number of sockets of this node that it reached. */
      readonly local: number
      /** Whether the other nodes got it. */
      readonly backplane: 'failed'
      /** Why it was not handed over. */
      readonly error: unknown
    }

/** Topics on one node, or with a backplane on all of them. `Topics<WebSocket>` gives the sockets back as they came. */
export interface Topics<Socket extends TopicSocket = TopicSocket> {
  /**
   * Gives a socket a topic. It leaves all its topics by itself when it closes. With a backplane, messages of other nodes
   * come as soon as that has subscribed too.
   * @returns false where it has the topic already, or is not open
   * @throws TopicsError where a limit is reached, or after `close()`
   */
  subscribe(socket: Socket, topic: string): boolean
  /**
   * Takes a topic from a socket.
   * @returns false where the socket did not have the topic
   */
  unsubscribe(socket: Socket, topic: string): boolean
  /**
   * Sends a message to all sockets that have a topic, and through the backplane to those of other nodes. On this node it
   * leaves when the current tick ends, with whatever else was published and sent to the same socket by then. Where the
   * backplane fails, `stats()` counts it and `onBackplaneError` is called; the message is not tried again.
   * @returns the number of sockets of this node that it reached: it was handed to their connection
   * @throws TypeError for a topic that is no string, or data or exceptions of a wrong kind; then nobody gets it
   */
  publish(topic: string, data: MessageData, options?: PublishOptions<Socket>): number
  /**
   * As `publish`, and says what came of it once that is known.
   * @returns a promise that never rejects
   * @throws TypeError as `publish` does
   */
  publishAndConfirm(topic: string, data: MessageData, options?: PublishOptions<Socket>): Promise<Published>
  /** The sockets of this node that have a topic. */
  subscribers(topic: string): Socket[]
  /** The topics that a socket has. */
  topicsOf(socket: Socket): string[]
  /** What there is now, and counts since `createTopics`. */
  stats(): TopicsStats
  /**
   * Ends all subscriptions at once, and closes the backplane. The sockets stay open; what was published before is written.
   * @returns a promise that resolves when the backplane is closed, and never rejects
   */
  close(): Promise<void>
}

/**
 * Makes a set of topics.
 *
 * `createTopics<WebSocket>()` says what kind of sockets it has, for `subscribers()` and `onError`.
 * @throws TypeError for a wrong option
 */
export function createTopics<Socket extends TopicSocket = TopicSocket>(options?: TopicsOptions<Socket>): Topics<Socket>
export function createTopics(options: TopicsOptions = {}): Topics {
  const resolved = resolveOptions(options)
  const { backplane, onBackplaneError } = resolved
  // Timers and subscriptions belong to all clients, so nothing of theirs runs in the AsyncLocalStorage of one.
  const context = new Context()
  const counters = new Counters()
  const link =
    backplane &&
    new Link(backplane, { receive: (topic, message) => receive(topic, message), onError: onBackplaneError }, context)
  const subscriptions = new Subscriptions(resolved, link)
  const delivery = new Delivery(resolved, counters, ({ socket }) => subscriptions.leave(socket), context)
  let isClosed = false

  /** @returns the number of sockets that it reached */
  function deliver(topic: string, message: Message, excepted?: Excepted): number {
    const members = subscriptions.membersOf(topic)
    if (members === undefined) return 0
    let reached = 0
    // Those who subscribe meanwhile, as from `onError`, come last and do not get it.
    let left = members.size
    for (const member of members) {
      if (left-- === 0) break
      if (excepted !== undefined && isExcepted(member.socket, excepted)) continue
      if (delivery.deliver(member, topic, message)) reached++
    }
    return reached
  }

  function receive(topic: string, { payload, isBinary, compress }: Opened): void {
    // It may have been under way while the last socket left.
    if (subscriptions.membersOf(topic) !== undefined) deliver(topic, new Message(payload, isBinary, compress))
  }

  function publish(topic: string, data: MessageData, options: PublishOptions = {}) {
    checkTopic('publish', topic)
    checkNames('publish', options, publishNames)
    const { except, binary = typeof data !== 'string', compress = true } = options
    if (typeof binary !== 'boolean') throw expected('publish: binary', 'a boolean', binary)
    if (typeof compress !== 'boolean') throw expected('publish: compress', 'a boolean', compress)
    const excepted = exceptedOf(except)
    const message = new Message(data, binary, compress)
    counters.published++
    return { local: deliver(topic, message, excepted), handedOver: link?.publish(topic, message) }
  }

  return {
    subscribe(socket, topic) {
      checkSubscription('subscribe', socket, topic)
      if (isClosed) throw new TopicsError('TOPICS_CLOSED', 'These topics are closed.')
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

    subscribers: (topic) => Array.from(subscriptions.membersOf(topic) ?? [], ({ socket }) => socket),
    topicsOf: (socket) => subscriptions.topicsOf(socket),
    stats: () => ({ ...subscriptions.counts, ...counters, backplane: link?.stats }),

    async close() {
      isClosed = true
      const closed = link?.close()
      subscriptions.leaveAll((error, socket) => delivery.fail(error, socket))
      delivery.close()
      await closed
    }
  }
}

const publishNames: Record<keyof PublishOptions, true> = { except: true, binary: true, compress: true }

async function confirm(local: number, handedOver: Promise<HandedOver> | undefined): Promise<Published> {
  if (handedOver === undefined) return { local, backplane: 'none' }
  const result = await handedOver
  return result.isSent ? { local, backplane: 'sent' } : { local, backplane: 'failed', error: result.error }
}
