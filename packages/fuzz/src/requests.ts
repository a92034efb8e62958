/** A request whose extent is unambiguous (RFC 9112). Strings are latin1. */
export interface Request {
  readonly method: string
  readonly target: string
  /** Such as `1.1`. */
  readonly version: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly headLength: number
  /** Whether it contains a tab. Node ignores `Upgrade` and lengths in front of one. */
  readonly hasTab: boolean
  /** Whether it announces content. */
  readonly hasContent: boolean
}

/** A client's bytes, parsed strictly. */
export interface Reading {
  readonly requests: readonly Request[]
  /**
   * What follows the requests: nothing; the start of another one; bytes that a server may parse in more than one way or
   * must refuse; or bytes after a request for an upgrade to WebSocket, which are frames if it is accepted.
   */
  readonly rest: 'nothing' | 'incomplete' | 'unclear' | 'frames'
}

/** Node accepts at most 16 KiB of target, names and values. Close to that, any refusal is allowed. */
const largestHead = 15_000

const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP\/(\d\.\d)$/
const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)[ \t]*$/

/** Parses requests for as long as their extent is unambiguous. */
export function readRequests(text: string): Reading {
  const requests: Request[] = []
  let at = 0
  for (;;) {
    // RFC 9112 §2.2: a request may follow an empty line.
    while (text.startsWith('\r\n', at)) at += 2
    if (at === text.length) return { requests, rest: 'nothing' }
    const end = text.indexOf('\r\n\r\n', at)
    if (end === -1) return { requests, rest: isPlain(text.slice(at)) ? 'incomplete' : 'unclear' }
    const request = readHead(text.slice(at, end))
    if (request === undefined) return { requests, rest: 'unclear' }
    at = end + 4
    const contentEnd = skipContent(request, text, at)
    if (contentEnd === undefined) return { requests, rest: 'unclear' }
    requests.push(request)
    if (contentEnd > text.length) return { requests, rest: 'incomplete' }
    at = contentEnd
    if (isUncommon(request) || (request.hasTab && request.hasContent)) return { requests, rest: 'unclear' }
    if (asksForWebSocket(request)) {
      return { requests, rest: at === text.length ? 'nothing' : request.hasTab ? 'unclear' : 'frames' }
    }
    if (endsConnection(request) && at < text.length) return { requests, rest: 'unclear' }
  }
}

/**
 * Whether an incomplete request could still become a valid one. How to treat a lone CR or LF, or NUL, is up to the
 * server.
 */
const isPlain = (text: string): boolean => !/\r(?!\n|$)|(?<!\r)\n|\0/.test(text)

function readHead(head: string): Request | undefined {
  const [first = '', ...lines] = head.split('\r\n')
  const [, method, target, version] = requestLine.exec(first) ?? []
  if (method === undefined || target === undefined || version === undefined || method === 'CONNECT') return undefined
  const fields: [string, string][] = []
  for (const line of lines) {
    const [, name, value] = fieldLine.exec(line) ?? []
    if (name === undefined || value === undefined) return undefined
    fields.push([name.toLowerCase(), value])
  }
  const bare = { method, target, version, fields, headLength: head.length + 4, hasTab: head.includes('\t') }
  return { ...bare, hasContent: announcesContent({ ...bare, hasContent: false }) }
}

/** Whether a server may refuse a request in any way, whatever it is for. */
const isUncommon = ({ method, target, version, fields }: Request): boolean =>
  !['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'TRACE'].includes(method) ||
  !['1.0', '1.1'].includes(version) ||
  !target.startsWith('/') ||
  fields.reduce((sum, [name, value]) => sum + name.length + value.length, target.length) > largestHead

/** Whether anything after a request is ignored (RFC 9112 §9.6). */
const endsConnection = (request: Request): boolean =>
  request.version === '1.0' || membersOf(request, 'connection').some((member) => member.toLowerCase() === 'close')

const announcesContent = (request: Request): boolean =>
  valuesOf(request, 'transfer-encoding').length > 0 ||
  valuesOf(request, 'content-length').some((value) => !/^0+$/.test(value))

/** The end of a request's content; undefined if it is ambiguous. */
function skipContent(request: Request, text: string, start: number): number | undefined {
  const codings = valuesOf(request, 'transfer-encoding')
  const lengths = valuesOf(request, 'content-length')
  if (codings.length > 0) {
    const isChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked'
    return isChunked && lengths.length === 0 && request.version === '1.1' ? skipChunks(text, start) : undefined
  }
  if (lengths.length === 0) return start
  const [length = ''] = lengths
  return lengths.length === 1 && /^\d{1,9}$/.test(length) ? start + Number(length) : undefined
}

function skipChunks(text: string, start: number): number | undefined {
  let at = start
  for (;;) {
    const [line, size] = /^([0-9A-Fa-f]{1,6})\r\n/.exec(text.slice(at, at + 8)) ?? []
    if (line === undefined || size === undefined) return undefined
    at += line.length + Number.parseInt(size, 16)
    if (!text.startsWith('\r\n', at)) return undefined
    at += 2
    if (/^0+$/.test(size)) return at
  }
}

/** The values of a field, one per field line. */
export const valuesOf = ({ fields }: Pick<Request, 'fields'>, name: string): string[] =>
  fields.filter(([one]) => one === name).map(([, value]) => value)

/** The members of a list field, in lower case if case does not matter. */
export const membersOf = (request: Pick<Request, 'fields'>, name: string): string[] =>
  valuesOf(request, name)
    .flatMap((value) => value.split(','))
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '')

/** Whether a request asks for an upgrade to WebSocket, valid or not. No ordinary request can follow it. */
export const asksForWebSocket = (request: Request): boolean =>
  request.method === 'GET' &&
  Number(request.version) >= 1.1 &&
  !request.hasContent &&
  membersOf(request, 'upgrade').some((member) => member.toLowerCase() === 'websocket') &&
  membersOf(request, 'connection').some((member) => member.toLowerCase() === 'upgrade')
