import { isUtf8 } from 'node:buffer'

/** What a client sends in the protocol `oneport.topics.1`; see docs/topics-protocol.md. */
export type Request =
  | { readonly kind: 'subscribe'; readonly topic: string; readonly since: Since | undefined }
  | { readonly kind: 'unsubscribe' | 'presence'; readonly topic: string }
  | { readonly kind: 'publish'; readonly topic: string; readonly id: string; readonly payload: Buffer }
  | { readonly kind: 'ping'; readonly topic: '' }

/** The last message that a client has seen, or `'all'` for everything that the history has. */
export type Since = 'all' | { readonly epoch: string; readonly offset: number }

/** A request that does not follow the grammar. */
export class Malformed extends Error {}

const lineFeed = 0x0a
const withoutPayload = new Set(['subscribe', 'unsubscribe', 'presence', 'ping'])
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a topic must not have
const topicPattern = /^[^\u0000-\u001f\u007f]+$/
const idPattern = /^[\w-]+$/
const sincePattern = /^(\w[\w.-]*):(0|[1-9]\d*)$/

/** Most characters of an ID and of an epoch, and most digits of an offset, which stays a safe integer. */
const longest = 64
const mostDigits = 15

/**
 * Reads a request.
 * @returns undefined for a kind that this version does not know
 * @throws Malformed
 */
export function readRequest(message: Buffer): Request | undefined {
  const end = message.indexOf(lineFeed)
  const line = end === -1 ? message : message.subarray(0, end)
  if (!isUtf8(line)) throw new Malformed('the header is not UTF-8')
  const header = line.toString()
  const [kind = '', first = ''] = header.split(' ', 2)
  const rest = header.slice(kind.length + 1)
  const behind = rest.slice(first.length + 1)
  const hasPayload = end !== -1
  if (hasPayload && withoutPayload.has(kind)) throw new Malformed(`${kind}: there is a payload`)
  switch (kind) {
    case 'subscribe':
      return { kind, since: readSince(first), topic: readTopic(behind) }
    case 'unsubscribe':
    case 'presence':
      return { kind, topic: readTopic(rest) }
    case 'publish':
      if (!hasPayload) throw new Malformed('publish: a line break and the payload are missing')
      return { kind, id: readId(first), topic: readTopic(behind), payload: message.subarray(end + 1) }
    case 'ping':
      if (header !== kind) throw new Malformed('ping: there is something behind it')
      return { kind, topic: '' }
    default:
      return undefined
  }
}

export function readTopic(topic: string): string {
  if (!topicPattern.test(topic)) throw new Malformed('a topic has at least one character, and no control characters')
  return topic
}

export function readId(id: string): string {
  if (id.length <= longest && idPattern.test(id)) return id
  throw new Malformed(`an id has 1 to ${longest} of the characters A-Z a-z 0-9 _ -`)
}

export function readSince(given: string): Since | undefined {
  if (given === '-') return undefined
  if (given === 'all') return given
  const [, epoch = '', offset = ''] = sincePattern.exec(given) ?? []
  if (epoch === '' || epoch.length > longest || offset.length > mostDigits)
    throw new Malformed('subscribe: expected -, all or epoch:offset')
  return { epoch, offset: Number(offset) }
}
