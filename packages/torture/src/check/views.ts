import type { Participant } from '../client/participant.ts'
import type { Contradiction } from './contradiction.ts'

type Watcher = Pick<Participant, 'name' | 'id' | 'topics' | 'view'>

/** Compares who clients see in the topics that they watch with who is there. @returns everything that must not be */
export function compareViews(clients: readonly Watcher[]): Contradiction[] {
  return clients.flatMap(({ name, view }) => {
    if (view === undefined) return []
    const { ids, topic } = view
    const there = new Set(clients.filter(({ topics }) => topics.includes(topic)).map(({ id }) => id))
    const seen = new Set(ids)
    return [
      ...[...there].filter((id) => !seen.has(id)).map((id) => `${name} does not see ${id} in ${topic}.`),
      ...[...seen].filter((id) => !there.has(id)).map((id) => `${name} sees ${id} in ${topic}, who is not there.`)
    ].map((what) => ({ what, lines: [] }))
  })
}
