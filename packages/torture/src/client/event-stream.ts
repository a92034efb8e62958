/** An event of a stream. */
export interface Event {
  readonly id: string | undefined
  readonly data: string | Buffer
}

/** Reads Server-Sent Events as this server writes them: with line feeds alone. */
export class EventReader {
  readonly #decoder = new TextDecoder()
  #rest = ''

  /** The events that are complete with these bytes. */
  read(chunk: Uint8Array): Event[] {
    const blocks = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    return blocks.flatMap(eventsIn)
  }
}

/** Nothing for a comment, and for `retry`. */
function eventsIn(block: string): Event[] {
  const lines = block.split('\n')
  const valuesOf = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2))
  const data = valuesOf('data').join('\n')
  const [id] = valuesOf('id')
  const [type] = valuesOf('event')
  if (!block.includes('data: ')) return []
  if (type === 'base64') return [{ id, data: Buffer.from(data, 'base64') }]
  return [{ id, data: type === 'json' ? (JSON.parse(data) as string) : data }]
}
