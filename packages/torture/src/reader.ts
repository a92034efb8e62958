import { setTimeout as sleep } from 'node:timers/promises'
import type { Place } from './check/follow.ts'
import { readAnswer } from './client/answer.ts'
import type { Polled } from './client/poll.ts'

/** How many topics one request may name. */
const mostTopics = 100

async function poll(port: number, topics: readonly string[], since: readonly string[]): Promise<Polled> {
  const query = new URLSearchParams({ since: since.join() })
  for (const topic of topics) query.append('topic', topic)
  const response = await fetch(`http://127.0.0.1:${port}/topics?${query}`)
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`)
  return (await response.json()) as Polled
}

/** The newest message of each topic, as a node sees it. */
export async function headsOf(port: number, topics: readonly string[]): Promise<Map<string, Place>> {
  const heads = new Map<string, Place>()
  for (let first = 0; first < topics.length; first += mostTopics) {
    const asked = topics.slice(first, first + mostTopics)
    const { answers } = await poll(
      port,
      asked,
      asked.map(() => '-')
    )
    for (const answer of answers) {
      const { kind, fields, topic } = readAnswer(typeof answer === 'string' ? answer : '')
      if (kind === 'subscribed') heads.set(topic, { epoch: fields[0] ?? '', offset: Number(fields[1]) })
    }
  }
  return heads
}

/** Delay between two looks at the nodes, and how long they may disagree, in milliseconds. */
const [lookMs, patienceMs] = [250, 20_000]

/** The newest message of each topic, once all nodes agree. @throws Error if they do not */
export async function agreedHeads(ports: readonly number[], topics: readonly string[]): Promise<Map<string, Place>> {
  const end = performance.now() + patienceMs
  while (true) {
    const all = await Promise.all(ports.map((port) => headsOf(port, topics)))
    const [heads] = all
    const disputed = topics.find((topic) => new Set(all.map((of) => textOf(of.get(topic)))).size > 1)
    if (heads?.size === topics.length && disputed === undefined) return heads
    if (performance.now() > end) {
      const views =
        disputed === undefined ? 'not all topics answer' : all.map((of) => textOf(of.get(disputed))).join(', ')
      throw new Error(`The nodes do not agree on the newest message of ${disputed ?? 'a topic'}: ${views}`)
    }
    await sleep(lookMs)
  }
}

export const textOf = (place: Place | undefined): string =>
  place === undefined ? 'nothing' : `${place.epoch}:${place.offset}`
