/** The head of a response as it was on the wire, in latin1. */
export interface Response {
  readonly status: number
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** What is left to read of a response. */
interface Body {
  readonly response: Response
  left: number | 'chunks' | 'until close'
  /** Whether the body may be missing, because the request may have been HEAD. */
  mayBeAbsent: boolean
}

/** Bytes that are not a response. */
export class Malformed extends Error {}

const statusLine = /^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*$/
const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/

/** Parses a server's answers strictly, as they arrive (RFC 9112). */
export class Responses {
  /** The complete responses, without interim ones. */
  readonly complete: Response[] = []
  /** Whether a 101 has arrived. It is the last one of `complete`; everything after it belongs to another protocol. */
  switched = false
  /** Whether the server has announced that it closes the connection after the last response. */
  closes = false
  #text = ''
  /** Length of a body that may follow an answer to HEAD. */
  #optional = 0
  #body: Body | undefined
  readonly #methodOf: (index: number) => string | undefined

  /** @param methodOf returns the method of the request with this number; undefined if it is unknown */
  constructor(methodOf: (index: number) => string | undefined) {
    this.#methodOf = methodOf
  }

  /** Whether a response has begun and is not complete. */
  get isPartial(): boolean {
    return this.#body !== undefined || (!this.switched && this.#text !== '')
  }

  /**
   * Parses what has arrived.
   * @returns the bytes after a 101
   * @throws Malformed
   */
  push(chunk: string): string {
    if (this.switched) return chunk
    this.#text += chunk
    while (!this.switched && this.#step()) {}
    if (!this.switched) return ''
    const rest = this.#text
    this.#text = ''
    return rest
  }

  /** Called when the server has ended its side. */
  end(): void {
    if (this.#body?.left === 'until close') this.#finish(this.#body.response)
  }

  /** @returns whether there may be more to parse */
  #step(): boolean {
    const body = this.#body
    if (body === undefined) return this.#readHead()
    if (body.mayBeAbsent && this.#text.startsWith('HTTP/1.1 ')) return this.#finish(body.response)
    if (body.left === 'until close') return this.#take(this.#text.length) && false
    if (body.left === 'chunks') return this.#readChunk(body.response)
    const taken = Math.min(body.left, this.#text.length)
    this.#take(taken)
    body.left -= taken
    if (taken > 0) body.mayBeAbsent = false
    return body.left === 0 && this.#finish(body.response)
  }

  #readHead(): boolean {
    this.#skipOptional()
    const end = this.#text.indexOf('\r\n\r\n')
    if (end === -1) {
      if (!'HTTP/1.1 '.startsWith(this.#text.slice(0, 9))) throw new Malformed('bytes that are not a status line')
      return false
    }
    const [first = '', ...lines] = this.#text.slice(0, end).split('\r\n')
    this.#take(end + 4)
    const [, status] = statusLine.exec(first) ?? []
    if (status === undefined) throw new Malformed(`the status line ${JSON.stringify(first)}`)
    const fields = lines.map((line): [string, string] => {
      const [, name, value] = fieldLine.exec(line) ?? []
      if (name === undefined || value === undefined) throw new Malformed(`the field line ${JSON.stringify(line)}`)
      return [name.toLowerCase(), value]
    })
    this.#begin({ status: Number(status), fields })
    return true
  }

  #begin(response: Response): void {
    const lengths = fieldValues(response, 'content-length')
    const codings = fieldValues(response, 'transfer-encoding')
    if (lengths.length + codings.length > 1) throw new Malformed('more than one length')
    const { status } = response
    if (status < 200 || status === 204) {
      if (lengths.length + codings.length > 0) throw new Malformed(`a length on status ${status} (RFC 9110 §8.6)`)
    }
    if (status === 101) this.switched = true
    else if (status < 200) return
    const [length] = lengths
    const method = this.#methodOf(this.complete.length)
    // Fastify's answers to requests that it cannot parse have a body even then: it does not know the method.
    if (method === 'HEAD' && status >= 400) this.#optional = Number(length ?? 0)
    if (status === 101 || status === 204 || status === 304 || method === 'HEAD') {
      this.#finish(response)
      return
    }
    if (length !== undefined && !/^\d+$/.test(length)) throw new Malformed(`the length ${JSON.stringify(length)}`)
    const left = codings.length > 0 ? 'chunks' : length === undefined ? 'until close' : Number(length)
    this.#body = { response, left, mayBeAbsent: method === undefined }
  }

  #readChunk(response: Response): boolean {
    const end = this.#text.indexOf('\r\n')
    if (end === -1) return false
    const size = Number.parseInt(this.#text.slice(0, end), 16)
    if (!/^[0-9A-Fa-f]+$/.test(this.#text.slice(0, end))) throw new Malformed('a chunk without a size')
    if (this.#text.length < end + 2 + size + 2) return false
    this.#take(end + 2 + size + 2)
    return size > 0 || this.#finish(response)
  }

  #skipOptional(): void {
    if ('HTTP/1.1 '.startsWith(this.#text.slice(0, 9))) return
    const skipped = Math.min(this.#optional, this.#text.length)
    this.#optional -= skipped
    this.#take(skipped)
  }

  #take(length: number): boolean {
    this.#text = this.#text.slice(length)
    return true
  }

  #finish(response: Response): boolean {
    this.#body = undefined
    this.complete.push(response)
    this.closes = fieldValues(response, 'connection').some((value) => /\bclose\b/i.test(value))
    return true
  }
}

/** The values of a response field, one per field line. */
export const fieldValues = ({ fields }: Response, name: string): string[] =>
  fields.filter(([one]) => one === name).map(([, value]) => value)
