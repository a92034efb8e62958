import { setTimeout as sleep } from 'node:timers/promises'
import { type Backplane, createTopics, type HistoryLimits, type Topics, type TopicsAccess } from '@oneport/topics'
import { Allowance } from './allowance.ts'
import type { Connected } from './exchange.ts'
import { isSaidBy, maxPayloadBytes } from './message.ts'

const maxPeople = 100
const maxVisitors = 1_000

/** How many pages that poll are remembered. */
const maxPolling = 1_000

/** How often a message to a page is published, if the backplane does not take it, and after how many milliseconds again. */
const [mostTries, againMs] = [20, 250]

/** The topic in which everybody is present, each with a nickname and a room. Nothing is published there. */
const people = 'people'

/** The topic of a room: its messages. */
const topicOf = (room: string): string => `room/${room}`

/** The topic of a page: how it is connected. */
const topicOfPage = (page: string): string => `page/${page}`

/** Someone who enters a room. */
export interface Visitor {
  readonly room: string
  readonly nickname: string
  /** The name that the page has given itself; undefined if it has none. */
  readonly page: string | undefined
}

/** What is kept of a topic. */
function historyOf(topic: string): HistoryLimits | undefined {
  if (topic === people) return undefined
  return topic.startsWith('room/') ? { messages: 50, ms: 3_600_000 } : { messages: 4, ms: 60_000 }
}

/** The rooms and who may say what in them. It knows neither HTTP nor a framework. */
export class Chat {
  readonly topics: Topics
  readonly #allowance = new Allowance()
  readonly #polling = new Set<string>()
  #isClosed = false

  constructor(backplane?: Backplane) {
    this.topics = createTopics({ backplane, history: historyOf, maxBodyBytes: maxPayloadBytes })
  }

  /** Whether a room is full, or all of them together are. */
  isFull(room: string): boolean {
    return (
      this.topics.subscribers(topicOf(room)).length >= maxPeople ||
      this.topics.subscribers(people).length >= maxVisitors
    )
  }

  /** What a visitor may do: read one room, and speak there. Someone with two windows is present once. */
  accessOf({ room, nickname, page }: Visitor): TopicsAccess {
    const topic = topicOf(room)
    const readable = [topic, people, ...(page === undefined ? [] : [topicOfPage(page)])]
    return {
      mayRead: (asked) => readable.includes(asked),
      mayPublish: (asked, data) =>
        asked === topic && isSaidBy(nickname, data) && this.#allowance.take(nickname, performance.now()),
      presence: { id: `${room}/${nickname}`, info: { nickname, room, since: Date.now() } }
    }
  }

  /** Tells a page how it is connected. Without a page or a connection there is nothing to tell. */
  tell(page: string | undefined, connected: Connected | undefined): void {
    if (page === undefined || connected === undefined) return
    const { transport } = connected
    // The first of a page's polls will do. A message about each of them would answer the next one at once.
    if (transport === 'poll' && this.#polling.has(page)) return
    if (transport === 'poll') this.#polling.add(page)
    else this.#polling.delete(page)
    const [oldest] = this.#polling
    if (this.#polling.size > maxPolling && oldest !== undefined) this.#polling.delete(oldest)
    void this.#publish(topicOfPage(page), JSON.stringify(connected))
  }

  /** Publishes a message, again if the backplane is not there yet. */
  async #publish(topic: string, message: string): Promise<void> {
    for (let tries = 0; tries < mostTries && !this.#isClosed; tries++) {
      const { backplane } = await this.topics.publishAndConfirm(topic, message)
      if (backplane !== 'failed') return
      await sleep(againMs, undefined, { ref: false })
    }
  }

  /** Ends all subscriptions and closes the backplane. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.topics.close()
  }
}
