import { Random } from '@oneport/kit'
import { check } from './check/check.ts'
import type { Contradiction } from './check/contradiction.ts'
import type { Place } from './check/follow.ts'
import { compareViews } from './check/views.ts'
import { Client, type Door } from './client/client.ts'
import { Crowd, lookMs, quietMs } from './crowd.ts'
import { Clock, Journal, type TransportName } from './journal.ts'
import { losesMessages, planOf } from './plan.ts'
import { agreedHeads, textOf } from './reader.ts'
import type { Fault } from './settings.ts'
import { Stage } from './stage/stage.ts'
import type { StoreName } from './store.ts'
import { until } from './until.ts'

export interface RunOptions {
  readonly seed: number
  readonly clients: number
  readonly topics: number
  readonly messages: number
  readonly nodes: number
  readonly store: StoreName
  /** Most messages per second, of all clients together. */
  readonly rate: number
  readonly proxies: boolean
  readonly transports: readonly TransportName[]
  /** Which clients: the test client, which knows the protocol by itself, or that of `@oneport/client`. */
  readonly client: ClientName
  /** How many of the clients are pages of a browser. They need the library. */
  readonly pages: number
  /** Whether anything breaks. */
  readonly chaos: boolean
  /** What each node does wrong on purpose, and each page. */
  readonly fault: Fault | undefined
  readonly pageFault: Fault | undefined
  /** How long a request may take, in milliseconds. */
  readonly answerMs: number
  readonly onProgress: (done: number) => void
  /** Ends the run, and everything that it has started. */
  readonly signal?: AbortSignal
}

export interface Result {
  readonly published: number
  /** Messages of which nobody knows whether they were published, such as those of pages that were loaded again. */
  readonly abandoned: number
  readonly deliveries: number
  readonly reconnects: number
  readonly gaps: number
  readonly seconds: number
  readonly contradictions: readonly Contradiction[]
}

export type ClientName = 'test' | 'library'
export const clientNames: readonly ClientName[] = ['test', 'library']

/** How long clients have to get their messages acknowledged, in milliseconds. */
const publishMs = 60_000

/** How long clients may see somebody who is not there, in milliseconds: nodes are believed dead after three intervals of 20 s. */
const presenceMs = 90_000

/** In one run of so many, histories are short. */
const shortEvery = 4
const shortMessages = 50

/** Runs clients, nodes and a store, breaks what a seed says, and checks what the clients saw. */
export async function run(options: RunOptions): Promise<Result> {
  const start = performance.now()
  const { seed, nodes, store, clients, pages, messages, rate, proxies, fault, signal } = options
  const random = new Random(seed)
  const mayTrim = options.chaos && random.below(shortEvery) === 0
  const durationMs = (messages / rate) * 1_000
  const events = options.chaos ? planOf(random, { durationMs, nodes, store, clients, pages }) : []
  const kept = mayTrim ? shortMessages : messages + 1
  const stage = await Stage.open({ nodes, store, proxies, fault, messages: kept, browser: pages > 0 })
  const clock = new Clock()
  const troubles: Contradiction[] = []
  const crowd = new Crowd(options, stage, clock, random)
  try {
    await crowd.perform(events)
    await stage.repaired()
    await until(() => crowd.unacknowledged === 0, publishMs, signal)
    const ports = stage.nodes.map(({ settings }) => settings.port)
    const heads = await agreedHeads(ports, crowd.topics)
    await crowd.arrived(heads)
    await until(() => crowd.clients.every(({ unanswered }) => unanswered === 0), options.answerMs + lookMs, signal)
    await until(() => compareViews(crowd.clients).length === 0, presenceMs, signal)
    troubles.push(...compareViews(crowd.clients))
    const reader = new Journal('reader', clock)
    await readAll({ name: 'node 0', port: ports[0] ?? 0 }, heads, reader, options.answerMs)
    const mayEnd = losesMessages(events, store)
    troubles.push(...check({ logs: crowd.journals, reader, heads, mayEnd, mayTrim }))
  } catch (error) {
    if (signal?.aborted) throw error
    troubles.push({ what: String(error), lines: [] })
  } finally {
    await crowd.leave()
    // What is about to start again would outlive the stage.
    await stage.repaired().catch(() => {})
    await stage.close()
  }
  for (const { output } of stage.nodes)
    if (output !== '') troubles.push({ what: `A node prints: ${output}`, lines: [] })
  return { ...crowd.totals, seconds: (performance.now() - start) / 1_000, contradictions: troubles }
}

/** Reads everything that a node has of some topics. */
async function readAll(
  door: Door,
  heads: ReadonlyMap<string, Place>,
  journal: Journal,
  answerMs: number
): Promise<void> {
  const topics = [...heads.keys()]
  const random = new Random(0)
  const reader = new Client({
    name: journal.name,
    topics,
    doors: [door],
    transports: ['stream'],
    random,
    journal,
    beginning: 'all',
    answerMs
  })
  const stay = reader.stay()
  await until(() => topics.every((topic) => reader.sinceOf(topic) === textOf(heads.get(topic))), quietMs)
  reader.leave()
  await stay
}
