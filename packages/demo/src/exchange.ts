import { type ClientRequest, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { isWebSocketRequest } from '@oneport/core'

/** A request or a response, in readable form. */
export interface Head {
  /** The first line. */
  readonly line: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

/** A request and its response. */
export interface Exchange {
  readonly request: Head
  readonly response: Head
}

/** How a page is connected. */
export interface Connected extends Exchange {
  readonly transport: 'websocket' | 'stream' | 'poll'
  /** The ID of this process. */
  readonly process: number
}

/** The status and the fields of a response. */
export interface Sent {
  readonly status: number
  readonly fields: readonly (readonly [name: string, value: unknown])[]
}

/**
 * How a page got its connection, as it went over the wire, without secrets.
 * @returns undefined if it did not, and for a message that it has posted
 */
export function showConnected(req: IncomingMessage, sent: Sent): Connected | undefined {
  if (req.method === 'POST' || sent.status >= 300) return undefined
  const isStream = String(req.headers.accept).includes('text/event-stream')
  const transport = isWebSocketRequest(req) ? 'websocket' : isStream ? 'stream' : 'poll'
  return { transport, process: process.pid, request: showRequest(req), response: showResponse(req, sent) }
}

/** What Node has sent. */
export const sentBy = (res: ServerResponse): Sent => ({
  status: res.statusCode,
  fields: namesOf(res).map((name) => [name, res.getHeader(name)])
})

function showRequest(req: IncomingMessage): Head {
  const { method, url, rawHeaders } = req
  const fields: [string, string][] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    fields.push(showField(rawHeaders[index] as string, rawHeaders[index + 1] as string))
  }
  // Over HTTP/2 a handshake is a CONNECT (RFC 8441 §5); the router sees it as a GET.
  const [, sent = method] = fields.find(([name]) => name === ':method') ?? []
  return { line: `${sent} ${url} ${isHttp2(req) ? 'HTTP/2' : `HTTP/${req.httpVersion}`}`, fields }
}

function showResponse(req: IncomingMessage, { status, fields }: Sent): Head {
  const shown = fields.flatMap(([name, value]) => [value ?? []].flat().map((each) => showField(name, `${each}`)))
  // HTTP/2 has no reason phrase.
  return { line: isHttp2(req) ? `HTTP/2 ${status}` : `HTTP/1.1 ${status} ${STATUS_CODES[status]}`, fields: shown }
}

const isHttp2 = (req: IncomingMessage): boolean => req.httpVersionMajor === 2

/** Field names as they go over the wire: in lower case over HTTP/2. */
function namesOf(res: ServerResponse): string[] {
  if (isHttp2(res.req)) return res.getHeaderNames()
  // Every outgoing HTTP/1.1 message has this method; Node's types declare it for requests only.
  return (res as ServerResponse & Pick<ClientRequest, 'getRawHeaderNames'>).getRawHeaderNames()
}

/** A field without its secret part. Scripts must not read an HttpOnly cookie, so they must not get it here either. */
export function showField(name: string, value: string): [name: string, value: string] {
  switch (name.toLowerCase()) {
    case 'cookie':
      return [name, value.replaceAll(/=[^;]*/g, '=…')]
    case 'set-cookie':
      return [name, value.replace(/=[^;]*/, '=…')]
    case 'authorization':
      return [name, '…']
    case 'sec-websocket-key':
      return [name, `${value.slice(0, 4)}…`]
    default:
      return [name, value]
  }
}
