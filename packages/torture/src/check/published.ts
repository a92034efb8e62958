import { type Log, lineOf } from '../journal.ts'
import type { Archive } from './archive.ts'
import type { Contradiction } from './contradiction.ts'

interface Publication {
  readonly topic: string
  readonly payload: string
  readonly first: number
  tries: number
  readonly line: string
  acknowledged: { readonly offset: number; readonly line: string } | undefined
}

/**
 * Every acknowledged message is in its topic exactly once, as long as the epoch lives in which it was published, and
 * nothing is there that nobody has published.
 * @param isKept whether the history has a place of a topic's last epoch, or would have it
 */
export function comparePublications(
  logs: readonly Log[],
  archive: Archive,
  heads: ReadonlyMap<string, { readonly epoch: string }>,
  isKept: (topic: string, offset: number) => boolean,
  report: (contradiction: Contradiction) => void
): void {
  const publications = collect(logs)
  const byPayload = new Map([...publications.values()].map((publication) => [publication.payload, publication]))
  for (const [payload, sightings] of archive.sightings) {
    const publication = byPayload.get(payload)
    for (const { topic, at, line } of sightings) {
      if (publication?.topic === topic && publication.first < at) continue
      report({ what: `Nobody had published this in ${topic}.`, lines: [line()] })
    }
    const epochs = new Set(sightings.map(({ epoch }) => epoch))
    const isTwice = sightings.length > epochs.size || (epochs.size > 1 && publication?.tries === 1)
    if (!isTwice) continue
    const lines = [...(publication === undefined ? [] : [publication.line]), ...sightings.map(({ line }) => line())]
    report({ what: `A message of ${sightings[0]?.topic} was published ${sightings.length} times.`, lines })
  }
  for (const { acknowledged, first, line, payload, topic } of publications.values()) {
    const epoch = heads.get(topic)?.epoch
    if (acknowledged === undefined || epoch === undefined) continue
    // The epoch in which it was published may have ended since.
    if (archive.newestEpochOf(topic) > first || !isKept(topic, acknowledged.offset)) continue
    const there = archive.at(topic, epoch, acknowledged.offset)
    if (there?.payload === payload) continue
    const lines = [line, acknowledged.line, ...(there === undefined ? [] : [there.line()])]
    report({ what: `An acknowledged message is not in ${topic} at ${epoch}:${acknowledged.offset}.`, lines })
  }
}

function collect(logs: readonly Log[]): Map<string, Publication> {
  const publications = new Map<string, Publication>()
  for (const { name, entries } of logs) {
    for (const entry of entries) {
      if (entry.kind === 'send') {
        const { at: first, id, payload, topic } = entry
        const known = publications.get(id)
        if (known !== undefined) known.tries++
        else
          publications.set(id, { topic, payload, first, tries: 1, line: lineOf(name, entry), acknowledged: undefined })
      } else if (entry.kind === 'published') {
        const publication = publications.get(entry.id)
        if (publication !== undefined) publication.acknowledged ??= { offset: entry.offset, line: lineOf(name, entry) }
      }
    }
  }
  return publications
}
