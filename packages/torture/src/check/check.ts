import { type Log, lineOf } from '../journal.ts'
import { Archive } from './archive.ts'
import type { Contradiction } from './contradiction.ts'
import { follow, type Place, type Rules } from './follow.ts'
import { comparePublications } from './published.ts'

export interface Evidence extends Rules {
  /** The logs of the clients. */
  readonly logs: readonly Log[]
  /** The log of who has read everything at the end. */
  readonly reader: Log
  /** The newest message of each topic at the end. */
  readonly heads: ReadonlyMap<string, Place>
}

/** Compares what clients saw. @returns everything that must not be */
export function check({ logs, reader, heads, ...rules }: Evidence): Contradiction[] {
  const contradictions: Contradiction[] = []
  const report = (contradiction: Contradiction): void => void contradictions.push(contradiction)
  const archive = new Archive()
  for (const log of logs) {
    const places = follow(log, archive, rules, report)
    for (const [topic, place] of places) compareEnd(log, topic, place, heads.get(topic), report)
  }
  const ends = follow(reader, archive, rules, report)
  for (const [topic, head] of heads) compareEnd(reader, topic, ends.get(topic) ?? nowhere, head, report)
  comparePublications(logs, archive, heads, keptIn(reader), report)
  return contradictions
}

const nowhere: Place = { epoch: 'no epoch', offset: 0 }

function compareEnd(
  { name, entries }: Log,
  topic: string,
  { epoch, offset }: Place,
  head: Place | undefined,
  report: (contradiction: Contradiction) => void
): void {
  if (head === undefined || (head.epoch === epoch && head.offset === offset)) return
  const last = entries.findLast((entry) => 'topic' in entry && entry.topic === topic && entry.kind !== 'send')
  report({
    what: `At the end ${name} is at ${epoch}:${offset} in ${topic}, and the newest message is ${head.epoch}:${head.offset}.`,
    lines: last === undefined ? [] : [lineOf(name, last)]
  })
}

/** Whether the history reached back to an offset when it was read. */
function keptIn({ entries }: Log): (topic: string, offset: number) => boolean {
  const first = new Map<string, number>()
  for (const entry of entries) {
    if (entry.kind === 'subscribed' && !first.has(entry.topic)) first.set(entry.topic, entry.offset)
  }
  return (topic, offset) => offset > (first.get(topic) ?? Infinity)
}
