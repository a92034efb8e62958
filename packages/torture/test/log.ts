import type { Evidence } from '../src/check/check.ts'
import { Clock, type Happening, Journal } from '../src/journal.ts'

const topic = 'news'
const epoch = 'e.0'

export const message = (offset: number, payload = `message ${offset}`): Happening => ({
  kind: 'message',
  topic,
  offset,
  payload
})

export const subscribed = (offset: number, beginning: string, of = epoch): Happening => ({
  kind: 'subscribed',
  topic,
  epoch: of,
  offset,
  beginning
})

export const gap = (offset: number, of = epoch): Happening => ({ kind: 'gap', topic, epoch: of, offset })

export const ask = (since: string): Happening => ({ kind: 'ask', topic, since })

export const unsubscribed: Happening = { kind: 'unsubscribed', topic }

export const lost: Happening = { kind: 'lost' }

/** What a publisher, a subscriber and the reader saw of a topic with five messages, in which nothing went wrong. */
export function evidence(
  change: (subscriber: Happening[]) => Happening[],
  rules: Partial<Pick<Evidence, 'mayEnd' | 'mayTrim'>> = {}
): Evidence {
  const clock = new Clock()
  const logOf = (name: string, happenings: readonly Happening[]): Journal => {
    const journal = new Journal(name, clock)
    for (const happening of happenings) journal.write(happening)
    return journal
  }
  const offsets = [1, 2, 3, 4, 5]
  const publications = offsets.flatMap((offset): Happening[] => [
    { kind: 'send', topic, id: `id-${offset}`, payload: `message ${offset}` },
    { kind: 'published', id: `id-${offset}`, offset }
  ])
  const messages = offsets.map((offset) => message(offset))
  const seen = [ask('-'), subscribed(0, 'new'), ...messages.slice(0, 3), lost]
  const back = [ask(`${epoch}:3`), subscribed(3, 'resumed'), ...messages.slice(3)]
  return {
    logs: [logOf('publisher', publications), logOf('subscriber', change([...seen, ...back]))],
    reader: logOf('reader', [ask('all'), subscribed(0, 'new'), ...messages]),
    heads: new Map([[topic, { epoch, offset: 5 }]]),
    mayEnd: false,
    mayTrim: false,
    ...rules
  }
}
