import cluster from 'node:cluster'
import { randomUUID } from 'node:crypto'
import type { HistoryBackplane, Kept, KeptLimits, Position } from '../backplane.ts'
import { Context } from '../context.ts'
import { checkNames, expected } from '../errors.ts'
import { type Call, isReport, mark, type News, type Result } from './protocol.ts'

/** How often to ask the primary again to join, and to look for requests that wait too long, in milliseconds. */
const lookMs = 250

/** Memory taken by a request that is not answered yet, beyond its text. */
const overheadBytes = 1_024

/** Options of `clusterBackplane`. */
export interface ClusterBackplaneOptions {
  /**
   * Only backplanes of the same name get each other's messages.
   * @default 'oneport'
   */
  name?: string | undefined
  /**
   * Bytes of messages that the primary may not have acknowledged yet, including 1 KiB of overhead for each. Further
   * messages fail; a single message may be larger. `Infinity` disables the limit.
   * @default 33_554_432
   */
  maxPendingBytes?: number | undefined
  /**
   * Time that the primary has to answer before a message counts as failed, in milliseconds.
   * @default 5_000
   */
  timeoutMs?: number | undefined
}

const defaults = Object.freeze({ name: 'oneport', maxPendingBytes: 33_554_432, timeoutMs: 5_000 })

const maxTimeoutMs = 2_147_483_647

interface Waiting {
  readonly bytes: number
  readonly dueAt: number
  readonly resolve: (result: Result) => void
  readonly reject: (error: Error) => void
}

type Receiver = readonly [Parameters<HistoryBackplane['subscribe']>[1], (topic: string) => void]

/**
 * A backplane for a worker of `node:cluster`: the primary, where `serveCluster()` was called, keeps the messages and
 * passes them on.
 * @throws Error in a process that is not a worker of a cluster
 * @throws TypeError for an invalid option
 */
export function clusterBackplane(options: ClusterBackplaneOptions = {}): HistoryBackplane {
  const { maxPendingBytes, name, timeoutMs } = resolveOptions(options)
  if (!cluster.isWorker) throw new Error('clusterBackplane: call it in a worker, and serveCluster() in the primary')
  const node = randomUUID()
  const context = new Context()
  const waiting = new Map<number, Waiting>()
  const receivers = new Map<string, Receiver>()
  let [count, bytes] = [0, 0]
  let state: 'joining' | 'joined' | 'closed' = 'joining'

  const settle = (id: number, end: (request: Waiting) => void): void => {
    const request = waiting.get(id)
    if (request === undefined) return
    waiting.delete(id)
    bytes -= request.bytes
    end(request)
  }

  const send = (id: number, call: Call): void => {
    const fail = (error: Error | null): void => {
      if (error !== null) settle(id, ({ reject }) => reject(error))
    }
    if (process.send === undefined || !process.connected) fail(new Error('The primary is gone.'))
    else process.send({ type: mark, node, id, call }, undefined, undefined, fail)
  }

  const ask = (call: Call, length: number): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (state === 'closed') throw new Error('The backplane is closed.')
      if (state === 'joining' && call.do !== 'join') throw new Error('The primary has not called serveCluster() yet.')
      const cost = length + overheadBytes
      if (bytes > 0 && bytes + cost > maxPendingBytes) {
        throw new Error(`The primary is too slow: it has not acknowledged ${bytes} bytes.`)
      }
      bytes += cost
      const id = ++count
      waiting.set(id, { bytes: cost, dueAt: performance.now() + timeoutMs, resolve, reject })
      context.runInAsyncScope(send, undefined, id, call)
    })

  const take = (news: News): void => {
    if ('answers' in news) {
      const { answers, error, result } = news
      settle(answers, ({ reject, resolve }) => (error === undefined ? resolve(result) : reject(new Error(error))))
    } else if ('lost' in news) {
      for (const topic of news.lost) receivers.get(topic)?.[1](topic)
    } else {
      const { message, position, topic } = news
      receivers.get(topic)?.[0](Buffer.from(message, 'base64'), topic, position)
    }
  }

  const onMessage = (message: unknown): void => {
    if (isReport(message) && message.node === node && state !== 'closed') take(message.news)
  }

  const join = (): void => {
    ask({ do: 'join', name }, 0).then(
      () => {
        if (state === 'joining') state = 'joined'
      },
      () => {}
    )
  }

  /** All have the same timeout, so they expire in the order in which they were sent. */
  const look = (): void => {
    const now = performance.now()
    for (const [id, { dueAt }] of waiting) {
      if (dueAt > now) break
      settle(id, ({ reject }) => reject(new Error(`The primary has not answered in ${timeoutMs} ms.`)))
    }
    if (state === 'joining' && waiting.size === 0) join()
  }

  process.on('message', onMessage)
  const timer = context.runInAsyncScope(() => setInterval(look, lookMs).unref())
  join()

  return {
    async publish(topic, message) {
      const text = message.toString('base64')
      await ask({ do: 'publish', topic, message: text }, text.length + topic.length)
    },

    async append(topic, message, limits, messageName) {
      const text = message.toString('base64')
      const call: Call = { do: 'append', topic, message: text, limits: sent(limits), messageName }
      return (await ask(call, text.length + topic.length + (messageName?.length ?? 0))) as Position
    },

    async read(topic, after, limits) {
      const result = await ask({ do: 'read', topic, after, limits: sent(limits) }, topic.length)
      const { messages, ...kept } = result as Omit<Kept, 'messages'> & { readonly messages: readonly string[] }
      return { ...kept, messages: messages.map((message) => Buffer.from(message, 'base64')) }
    },

    async subscribe(topic, receive, lost = () => {}) {
      // Messages may arrive before the answer.
      receivers.set(topic, [receive, lost])
      await ask({ do: 'subscribe', topic }, topic.length).catch((error: unknown) => {
        receivers.delete(topic)
        throw error
      })
    },

    async unsubscribe(topic) {
      receivers.delete(topic)
      await ask({ do: 'unsubscribe', topic }, topic.length)
    },

    health: () => (state === 'joined' && process.connected ? 'up' : 'down'),

    async close() {
      if (state === 'closed') return
      state = 'closed'
      clearInterval(timer)
      process.off('message', onMessage)
      for (const id of [...waiting.keys()]) settle(id, ({ reject }) => reject(new Error('The backplane is closed.')))
      // What was handed over before is sent before it.
      send(++count, { do: 'leave' })
    }
  }
}

const sent = ({ messages, ms, bytes }: KeptLimits): KeptLimits => ({ messages, ms, bytes })

function resolveOptions(options: ClusterBackplaneOptions): typeof defaults {
  if (typeof options !== 'object' || options === null) throw expected('clusterBackplane', 'an object', options)
  checkNames('clusterBackplane', options, defaults)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const resolved = { ...defaults, ...given }
  const { maxPendingBytes, name, timeoutMs } = resolved
  if (typeof name !== 'string') throw expected('clusterBackplane: name', 'a string', name)
  if (maxPendingBytes !== Infinity && !(Number.isSafeInteger(maxPendingBytes) && maxPendingBytes > 0)) {
    throw expected(
      'clusterBackplane: maxPendingBytes',
      'a positive whole number of bytes, or Infinity',
      maxPendingBytes
    )
  }
  if (!(Number.isSafeInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= maxTimeoutMs)) {
    throw expected('clusterBackplane: timeoutMs', `a whole number of milliseconds from 1 to ${maxTimeoutMs}`, timeoutMs)
  }
  return resolved
}
