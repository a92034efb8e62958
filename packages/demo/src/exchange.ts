import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'

/** A request or a response, for people to read. */
export interface Head {
  /** The first line. */
  readonly line: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

/** A request and the answer to it. */
export interface Exchange {
  readonly request: Head
  readonly response: Head
}

/** An accepted handshake as it happened, without its secrets. */
export function showExchange(req: IncomingMessage, res: ServerResponse): Exchange {
  return { request: showRequest(req), response: showResponse(res) }
}

function showRequest({ method, url, httpVersion, rawHeaders }: IncomingMessage): Head {
  const fields: [string, string][] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    fields.push(showField(rawHeaders[index] as string, rawHeaders[index + 1] as string))
  }
  return { line: `${method} ${url} HTTP/${httpVersion}`, fields }
}

function showResponse(res: ServerResponse): Head {
  // Every outgoing message of Node has this method; its types know it of requests only.
  const names = (res as ServerResponse & Pick<ClientRequest, 'getRawHeaderNames'>).getRawHeaderNames()
  const fields = names.flatMap((name) => [res.getHeader(name) ?? []].flat().map((value) => showField(name, `${value}`)))
  return { line: `HTTP/1.1 ${res.statusCode} ${res.statusMessage}`, fields }
}

/** A field with what must stay secret taken out: page scripts may not read an HttpOnly cookie, here neither. */
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
