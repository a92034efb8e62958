import type { WebSocket } from 'ws'
import { Delivery } from './delivery.ts'
import { TopicsError } from './errors.ts'
import { Message, type MessageData } from './message.ts'
import { resolveOptions, type TopicsOptions } from './options.ts'
import { Counters, type TopicsStats } from './stats.ts'
import { checkSubscription, checkTopic, Subscriptions } from './subscriptions.ts'

export interface PublishOptions {
  /**
   * A socket, or sockets, that do not get the message.
   * @default none
   */
  except?: WebSocket | ReadonlySet<WebSocket> | undefined
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

/** Topics on one node. */
export interface Topics {
  /**
   * Gives a socket a topic. It leaves all its topics by itself when it closes.
   * @returns false where it has the topic already, or is not open
   * @throws TopicsError where a limit is reached, or after `close()`
   */
  subscribe(socket: WebSocket, topic: string): boolean
  /** @returns false where the socket did not have the topic */
  unsubscribe(socket: WebSocket, topic: string): boolean
  /**
   * Sends a message to all sockets that have a topic. It leaves when the current tick ends, with whatever else was
   * published and sent to the same socket by then.
   * @returns the number of sockets that it reached: it was handed to their connection
   */
  publish(topic: string, data: MessageData, options?: PublishOptions): number
  /** The sockets that have a topic. */
  subscribers(topic: string): WebSocket[]
  /** The topics that a socket has. */
  topicsOf(socket: WebSocket): string[]
  stats(): TopicsStats
  /** Ends all subscriptions. The sockets stay open; what was published before is written. */
  close(): void
}

/**
 * Makes a set of topics.
 * @throws TypeError for a wrong option
 */
export function createTopics(options: TopicsOptions = {}): Topics {
  const resolved = resolveOptions(options)
  const counters = new Counters()
  const subscriptions = new Subscriptions(resolved)
  const delivery = new Delivery(resolved, counters, ({ socket }) => subscriptions.leave(socket))
  let isClosed = false

  return {
    subscribe(socket, topic) {
      checkSubscription(socket, topic)
      if (isClosed) throw new TopicsError('TOPICS_CLOSED', 'These topics are closed.')
      return subscriptions.add(socket, topic)
    },

    unsubscribe(socket, topic) {
      checkSubscription(socket, topic)
      return subscriptions.remove(socket, topic)
    },

    publish(topic, data, { except, binary = typeof data !== 'string', compress = true } = {}) {
      checkTopic(topic)
      const message = new Message(data, binary, compress)
      counters.published++
      let reached = 0
      for (const member of subscriptions.membersOf(topic) ?? []) {
        if (isExcepted(member.socket, except)) continue
        if (delivery.deliver(member, topic, message)) reached++
      }
      return reached
    },

    subscribers: (topic) => Array.from(subscriptions.membersOf(topic) ?? [], ({ socket }) => socket),
    topicsOf: (socket) => subscriptions.topicsOf(socket),
    stats: () => ({ ...subscriptions.counts, ...counters }),

    close() {
      isClosed = true
      subscriptions.leaveAll()
      delivery.close()
    }
  }
}

const isExcepted = (socket: WebSocket, except: PublishOptions['except']): boolean =>
  except !== undefined && (except === socket || ('has' in except && except.has(socket)))
