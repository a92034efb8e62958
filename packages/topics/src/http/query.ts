import type { IncomingMessage } from 'node:http'
import { Malformed, readSince, readTopic, type Since } from '../serve/requests.ts'

/** What a GET asks for. */
export interface Query {
  readonly topics: readonly string[]
  /** For each topic, where to go on. */
  readonly since: readonly (Since | undefined)[]
  /** Whether to tell who is present. */
  readonly presence: boolean
}

/** Topics of one request. Their names are in the URL, of which Node takes 16 KiB. */
const mostTopics = 100

/**
 * Reads the query of a request. `Last-Event-ID` overrides `since`: an `EventSource` sends it when it comes back.
 * @throws Malformed
 */
export function readQuery({ headers, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>): Query {
  const parameters = parametersOf(url)
  const topics = parameters.getAll('topic').map(readTopic)
  if (topics.length === 0 || topics.length > mostTopics) throw new Malformed(`expected 1 to ${mostTopics} topics`)
  if (new Set(topics).size < topics.length) throw new Malformed('a topic is named twice')
  const last = headers['last-event-id']
  const given = (typeof last === 'string' && last !== '' ? last : (parameters.get('since') ?? '')).split(',')
  if (given.length > topics.length) throw new Malformed('since has more entries than there are topics')
  const since = topics.map((_topic, index) => readSince(given[index] || '-'))
  return { topics, since, presence: parameters.has('presence') }
}

export const parametersOf = (url: string): URLSearchParams =>
  new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '')
