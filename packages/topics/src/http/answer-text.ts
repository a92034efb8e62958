/** An answer of the protocol on its way into a response. */
export interface Answer {
  readonly header: string
  readonly isBinary: boolean
  /** The whole answer, with its header. */
  readonly bytes: Buffer
}

export function answerOf(data: string | Buffer, isBinary: boolean): Answer {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  const end = bytes.indexOf(0x0a)
  return { header: bytes.toString('utf8', 0, end === -1 ? bytes.length : end), isBinary, bytes }
}

/**
 * An answer as a Server-Sent Event. https://html.spec.whatwg.org/multipage/server-sent-events.html
 * @param id the positions of the client; undefined if the answer does not change them
 */
export function eventOf({ bytes, isBinary }: Answer, id: string | undefined): string {
  const lead = id === undefined ? '' : `id: ${id}\n`
  if (isBinary) return `${lead}event: base64\ndata: ${bytes.toString('base64')}\n\n`
  const text = bytes.toString()
  // A carriage return would become a line feed.
  if (text.includes('\r')) return `${lead}event: json\ndata: ${JSON.stringify(text)}\n\n`
  return `${lead}data: ${text.replaceAll('\n', '\ndata: ')}\n\n`
}

/** An answer as a value of JSON: text as a string, and a binary answer in an object. */
export const jsonOf = ({ bytes, isBinary }: Answer): string | { base64: string } =>
  isBinary ? { base64: bytes.toString('base64') } : bytes.toString()
