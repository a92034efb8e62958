import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'

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

/** An accepted handshake as it went over the wire, without secrets. */
export function showExchange(req: IncomingMessage, res: ServerResponse): Exchange {
  return { request: showRequest(req), response: showResponse(res) }
}

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

function showResponse(res: ServerResponse): Head {
  const fields = namesOf(res).flatMap((name) =>
    [res.getHeader(name) ?? []].flat().map((value) => showField(name, `${value}`))
  )
  // HTTP/2 has no reason phrase.
  const line = isHttp2(res.req) ? `HTTP/2 ${res.statusCode}` : `HTTP/1.1 ${res.statusCode} ${res.statusMessage}`
  return { line, fields }
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
