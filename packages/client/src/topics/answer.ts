/** An answer of the protocol `oneport.topics.1`. */
export interface Answer {
  readonly kind: string
  readonly topic: string
  /** The words between the kind and the topic. */
  readonly fields: readonly string[]
  readonly payload: string | Uint8Array
}

type Form = readonly [fields: number, rest: RegExp]

const topicAlone: Form = [0, /^[ -~\u0080-\u{10ffff}]+$/u]

/** What follows each kind in the header, and how many words of it stand before the topic. */
const grammar: Readonly<Record<string, Form>> = {
  subscribed: [3, /^(\w[\w.-]* (0|[1-9]\d*) (new|resumed|gap)|- - (new|gap)) [ -~\u0080-\u{10ffff}]+$/u],
  unsubscribed: topicAlone,
  message: [1, /^(0|[1-9]\d*|-) [ -~\u0080-\u{10ffff}]+$/u],
  gap: [2, /^\w[\w.-]* (0|[1-9]\d*) [ -~\u0080-\u{10ffff}]+$/u],
  published: [2, /^[\w-]+ (0|[1-9]\d*|-)$/],
  present: topicAlone,
  joined: topicAlone,
  left: topicAlone,
  error: [3, /^(forbidden|limit|busy|failed) (publish [\w-]+|(subscribe|presence) -) [ -~\u0080-\u{10ffff}]+$/u],
  pong: [0, /^$/]
}

const hasPayload = /^(message|present|joined|left)$/

/** Most characters of an epoch, or of the ID of a message. */
const longestField = 64

/** The byte that ends the header. */
const lineFeed = 10

/**
 * Reads an answer.
 * @returns undefined for a kind that is not known
 * @throws SyntaxError or TypeError if it does not follow the grammar
 */
export function readAnswer(data: string | ArrayBuffer): Answer | undefined {
  const all = typeof data === 'string' ? data : new Uint8Array(data)
  const end = typeof all === 'string' ? all.indexOf('\n') : all.indexOf(lineFeed)
  const first = all.slice(0, end < 0 ? all.length : end)
  const header = typeof first === 'string' ? first : new TextDecoder('utf-8', { fatal: true }).decode(first)
  const [kind = '', ...words] = header.split(' ')
  const [count, rest] = (Object.hasOwn(grammar, kind) && grammar[kind]) || []
  if (rest === undefined) return undefined
  const fields = words.slice(0, count)
  const isLong = fields.some(({ length }) => length > longestField)
  if (isLong || hasPayload.test(kind) !== end >= 0 || !rest.test(words.join(' '))) {
    throw new SyntaxError(`malformed answer: ${kind}`)
  }
  return { kind, fields, topic: words.slice(count).join(' '), payload: all.slice(end + 1) }
}
