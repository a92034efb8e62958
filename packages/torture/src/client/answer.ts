/** An answer of the protocol. */
export interface Answer {
  readonly kind: string
  /** The fields between the kind and the topic. */
  readonly fields: readonly string[]
  readonly topic: string
  /** Bytes as base64 behind `binary `. */
  readonly payload: string
}

/** How many fields stand before the topic. */
const fieldsOf: Readonly<Record<string, number>> = { subscribed: 3, message: 1, gap: 2, error: 3, published: 2 }

export function readAnswer(data: string | Buffer): Answer {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data)
  const end = bytes.indexOf(0x0a)
  const [kind = '', ...words] = bytes.toString('utf8', 0, end === -1 ? bytes.length : end).split(' ')
  const count = fieldsOf[kind] ?? 0
  const payload = end === -1 ? Buffer.alloc(0) : bytes.subarray(end + 1)
  return {
    kind,
    fields: words.slice(0, count),
    topic: words.slice(count).join(' '),
    payload: Buffer.isBuffer(data) ? textOf(payload) : payload.toString()
  }
}

/** A payload as it stands in the logs. */
export const textOf = (payload: string | Buffer): string =>
  Buffer.isBuffer(payload) ? `binary ${payload.toString('base64')}` : payload
