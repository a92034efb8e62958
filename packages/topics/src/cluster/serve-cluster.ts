import cluster, { type Worker } from 'node:cluster'
import type { Position } from '../backplane.ts'
import { Context } from '../context.ts'
import { checkNames, expected } from '../errors.ts'
import { type Call, isRequest, limitsOf, mark, type News, type Result } from './protocol.ts'
import { Store } from './store.ts'

/** How often to remove what is too old, in milliseconds. */
const sweepMs = 10_000

/** Memory taken by a message that waits for a worker, beyond its text. */
const overheadBytes = 512

/** Options of `serveCluster`. */
export interface ClusterOptions {
  /**
   * Bytes of all messages that the primary keeps, including 512 bytes of overhead for each. Beyond it, the topics
   * without a new message for the longest time lose their oldest ones. `Infinity` disables the limit.
   * @default 268_435_456
   */
  maxBytes?: number | undefined
  /**
   * Bytes that may wait for a worker that does not read, including 512 bytes of overhead for each message. Beyond it,
   * messages are not sent, and the worker reads what it missed later. `Infinity` disables the limit.
   * @default 33_554_432
   */
  maxPendingBytes?: number | undefined
}

/** What the primary has at the moment. */
export interface ClusterStats {
  /** Backplanes of workers. */
  readonly nodes: number
  /** Topics that have messages or were used lately. */
  readonly topics: number
  /** Bytes of the messages that are kept, including 512 bytes of overhead for each. */
  readonly bytes: number
}

/** What `serveCluster` returns. */
export interface ClusterTopics {
  /** Counts. */
  stats(): ClusterStats
  /** Ends it. What is kept is lost, and backplanes of workers are down. */
  close(): void
}

const defaults = Object.freeze({ maxBytes: 268_435_456, maxPendingBytes: 33_554_432 })

interface Group {
  readonly store: Store
  readonly subscribers: Map<string, Set<Member>>
}

/** One backplane of one worker. */
interface Member {
  readonly node: string
  readonly group: Group
  readonly outbox: Outbox
}

/** Messages on their way to one worker. */
class Outbox {
  readonly #worker: Worker
  readonly #maxBytes: number
  /** Topics of which messages were not sent, for each backplane. */
  readonly #skipped = new Map<string, Set<string>>()
  #bytes = 0

  constructor(worker: Worker, maxBytes: number) {
    this.#worker = worker
    this.#maxBytes = maxBytes
  }

  get isFull(): boolean {
    return this.#bytes > this.#maxBytes
  }

  send(node: string, news: News, length = 0): void {
    if (!this.#worker.isConnected()) return
    const bytes = length + overheadBytes
    this.#bytes += bytes
    this.#worker.send({ type: mark, node, news }, undefined, () => {
      this.#bytes -= bytes
      if (this.#skipped.size > 0 && this.#bytes <= this.#maxBytes / 2) this.#reportSkipped()
    })
  }

  /** Sends a message, or if too much waits already, reports later that it is missing. */
  deliver(node: string, topic: string, message: string, position: Position | undefined): void {
    if (!this.isFull) {
      this.send(node, { topic, message, position }, message.length + topic.length)
      return
    }
    const topics = this.#skipped.get(node) ?? new Set()
    this.#skipped.set(node, topics.add(topic))
  }

  #reportSkipped(): void {
    const all = [...this.#skipped]
    this.#skipped.clear()
    for (const [node, topics] of all) this.send(node, { lost: [...topics] })
  }
}

let isServing = false

/**
 * Keeps the messages of all workers of `node:cluster`, and passes them on: call it in the primary, before it forks, and
 * `clusterBackplane()` in the workers. What it keeps lives as long as the primary.
 * @throws Error in a worker, or if it was called already
 * @throws TypeError for an invalid option
 */
export function serveCluster(options: ClusterOptions = {}): ClusterTopics {
  const { maxBytes, maxPendingBytes } = resolveOptions(options)
  if (!cluster.isPrimary) throw new Error('serveCluster: call it in the primary, and clusterBackplane() in the workers')
  if (isServing) throw new Error('serveCluster: it was called already')
  isServing = true
  const groups = new Map<string, Group>()
  const workers = new Map<Worker, { readonly outbox: Outbox; readonly members: Map<string, Member> }>()

  const groupOf = (name: string): Group => {
    const subscribers: Group['subscribers'] = new Map()
    const group = groups.get(name) ?? {
      store: new Store({ maxBytes, isInUse: (topic) => subscribers.has(topic) }),
      subscribers
    }
    groups.set(name, group)
    return group
  }

  const sendAll = ({ subscribers }: Group, topic: string, message: string, position?: Position): void => {
    for (const { node, outbox } of subscribers.get(topic) ?? []) outbox.deliver(node, topic, message, position)
  }

  const act = (member: Member, call: Call): Result => {
    const { group } = member
    switch (call.do) {
      case 'publish':
        sendAll(group, call.topic, call.message)
        return undefined
      case 'append': {
        const message = Buffer.from(call.message, 'base64')
        const { isNew, position } = group.store.append(call.topic, message, limitsOf(call.limits), call.messageName)
        if (isNew) sendAll(group, call.topic, call.message, position)
        return position
      }
      case 'read': {
        if (member.outbox.isFull) throw new Error('The worker is too slow.')
        const { messages, ...kept } = group.store.read(call.topic, call.after, limitsOf(call.limits))
        return { ...kept, messages: messages.map((message) => message.toString('base64')) }
      }
      case 'subscribe':
        group.subscribers.set(call.topic, (group.subscribers.get(call.topic) ?? new Set()).add(member))
        return undefined
      case 'unsubscribe':
        leave(member, call.topic)
        return undefined
      default:
        throw new Error('The primary does not know this call.')
    }
  }

  const leave = (member: Member, topic: string): void => {
    const members = member.group.subscribers.get(topic)
    members?.delete(member)
    if (members?.size === 0) member.group.subscribers.delete(topic)
  }

  const forget = (member: Member): void => {
    for (const topic of [...member.group.subscribers.keys()]) leave(member, topic)
  }

  const onMessage = (worker: Worker, message: unknown): void => {
    if (!isRequest(message)) return
    const { call, id, node } = message
    const known = workers.get(worker) ?? { outbox: new Outbox(worker, maxPendingBytes), members: new Map() }
    workers.set(worker, known)
    const member = known.members.get(node)
    if (call.do === 'leave') {
      if (member !== undefined) forget(member)
      known.members.delete(node)
    } else if (call.do === 'join') {
      if (member === undefined) known.members.set(node, { node, group: groupOf(call.name), outbox: known.outbox })
      known.outbox.send(node, { answers: id })
    } else {
      known.outbox.send(
        node,
        answerTo(id, () => act(member ?? unknown(), call))
      )
    }
  }

  const onGone = (worker: Worker): void => {
    for (const member of workers.get(worker)?.members.values() ?? []) forget(member)
    workers.delete(worker)
  }

  const timer = new Context().runInAsyncScope(() =>
    setInterval(() => {
      for (const { store } of groups.values()) store.sweep()
    }, sweepMs).unref()
  )
  cluster.on('message', onMessage).on('disconnect', onGone).on('exit', onGone)

  return {
    stats: () => {
      const stats = { nodes: 0, topics: 0, bytes: 0 }
      for (const { members } of workers.values()) stats.nodes += members.size
      for (const { store } of groups.values()) {
        stats.topics += store.counts.topics
        stats.bytes += store.counts.bytes
      }
      return stats
    },
    close: () => {
      if (!isServing) return
      isServing = false
      clearInterval(timer)
      cluster.off('message', onMessage).off('disconnect', onGone).off('exit', onGone)
    }
  }
}

function answerTo(answers: number, act: () => Result): News {
  try {
    return { answers, result: act() }
  } catch (error) {
    return { answers, error: String(error) }
  }
}

function unknown(): never {
  throw new Error('The primary does not know this backplane.')
}

function resolveOptions(options: ClusterOptions): typeof defaults {
  if (typeof options !== 'object' || options === null) throw expected('serveCluster', 'an object', options)
  checkNames('serveCluster', options, defaults)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const resolved = { ...defaults, ...given }
  for (const [name, value] of Object.entries(resolved)) {
    if (value === Infinity || (Number.isSafeInteger(value) && value > 0)) continue
    throw expected(`serveCluster: ${name}`, 'a positive whole number of bytes, or Infinity', value)
  }
  return resolved
}
