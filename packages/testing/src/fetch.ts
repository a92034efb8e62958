import { type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { keepCookies } from './cookies.ts'
import { openTransport, settingsFor } from './handshake.ts'
import type { ResolvedOptions } from './options.ts'
import type { Way } from './target.ts'

/** The statuses whose responses have no body. https://fetch.spec.whatwg.org/#null-body-status */
const withoutBody = [204, 205, 304]

/**
 * Makes a `fetch` for a network.
 * @param base the URL that paths are relative to
 * @param wayTo returns the way of one request, to a path, for the URL that the client has asked for
 */
export const fetchThrough =
  (base: string, options: ResolvedOptions, wayTo: (path: string, url: string) => Way): typeof fetch =>
  async (input, init) => {
    const asked = new Request(input instanceof Request ? input : new URL(String(input), base), init)
    const { method, signal } = asked
    const url = new URL(asked.url)
    const body = Buffer.from(await asked.arrayBuffer())
    const way = wayTo(url.pathname + url.search, url.href)
    const { headers, origin } = settingsFor(url, way, options)
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request({
        method,
        path: url.pathname + url.search,
        headers: {
          host: url.host,
          ...headers,
          ...(origin !== undefined && { origin }),
          ...Object.fromEntries(asked.headers)
        },
        signal,
        createConnection: () => openTransport(way, options)
      })
      outgoing.once('response', resolve)
      outgoing.once('error', (cause) =>
        reject(signal.aborted ? signal.reason : new TypeError('fetch failed', { cause }))
      )
      outgoing.end(body)
    })
    const { rawHeaders, statusCode: status = 0, statusMessage: statusText = '' } = response
    keepCookies(options.agent?.jar, way.url, response.headers)
    const fields = rawHeaders.flatMap((name, index): [string, string][] =>
      index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : []
    )
    const hasBody = method !== 'HEAD' && !withoutBody.includes(status)
    if (!hasBody) response.resume()
    const stream = hasBody ? (Readable.toWeb(response) as ReadableStream) : null
    const answer = new Response(stream, { status, statusText, headers: fields })
    return Object.defineProperty(answer, 'url', { value: url.href })
  }
