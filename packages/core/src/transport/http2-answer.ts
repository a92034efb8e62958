import type { ServerResponse } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { HandshakeError } from '../errors.ts'
import { frameworkWriteHead, handshakeOf, type Transport } from '../handshake.ts'
import { removeOwnedFields } from '../http-fields.ts'
import { override } from '../raw-methods.ts'
import { refusalOf } from '../refuse.ts'
import { watchHeadersSent } from './response-class.ts'

/** How a handshake over HTTP/2 is answered (RFC 8441 §5): a 101 is a 200 on the wire, and its stream goes on. */
export const http2: Transport = {
  switchProtocols({ response }, fields): void {
    removeOwnedFields(response)
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index] as string
      if (isForHttp2(name)) response.setHeader(name, fields[index + 1] as string)
    }
    Reflect.deleteProperty(response, 'statusCode')
    frameworkWriteHead(response, 200)
    disarm(response, ['finish', 'close'])
    watchHeadersSent(response, (req) => handshakeOf(req)?.shield())
  },

  prepareRefusal({ response }, status): number {
    // Fields of this hop, which HTTP/2 has none of (RFC 9113 §8.2.2); Node would throw for them.
    response.removeHeader('Upgrade')
    response.removeHeader('Keep-Alive')
    if (status < 200 || status > 299) return status
    // To a CONNECT a 2xx says that it was accepted (RFC 9110 §9.3.6); what answered is a page for GET.
    response.setHeader('Allow', 'GET, HEAD')
    return constants.HTTP_STATUS_METHOD_NOT_ALLOWED
  },

  refuseInPlaceOf({ response, rawSocket }, error: HandshakeError): void {
    disarm(response, ['close'])
    response.end()
    const { status, headers, body } = refusalOf(error)
    const stream = rawSocket.stream as unknown as ServerHttp2Stream
    if (stream.destroyed || stream.closed) return
    if (stream.headersSent) {
      // The application has answered by the stream itself, past its response.
      stream.close(constants.NGHTTP2_CANCEL)
      return
    }
    stream.respond({ ':status': status, ...headers })
    stream.end(body)
  },

  part({ response }): void {
    disarm(response, ['close'])
  },

  /** Node tells it by itself. */
  abort(): void {}
}

/** The key and what belongs to it, and the fields of the hop, are HTTP/1.1's (RFC 8441 §5). */
const isForHttp2 = (name: string): boolean => /^sec-websocket-(?:protocol|extensions)$/i.test(name)

/**
 * Lets an application's response take part no more: what it still writes goes nowhere, and what waits for its end
 * hears of it when the application ends it, not when the stream closes.
 */
function disarm(response: ServerResponse, events: readonly string[]): void {
  const settle = (): ServerResponse => {
    own('end', () => response)
    process.nextTick(() => {
      for (const event of events) response.emit(event)
      own('emit', () => false)
    })
    own('writableEnded', true)
    own('finished', true)
    return response
  }
  const own = (name: string, value: unknown): void => {
    Object.defineProperty(response, name, { configurable: true, writable: true, value })
  }
  own('write', () => true)
  own('end', settle)
}

/** What asks for the head where nobody has written it: Node has a status of its own for that, past `statusCode`. */
const implicit = ['write', 'end', 'flushHeaders'] as const

/**
 * Lets a response carry status 101 until it is written; Node's own throws for it on HTTP/2. What asks for the head by itself
 * then writes the 101 first.
 * https://nodejs.org/api/http2.html#responsestatuscode
 */
export function permitSwitching(response: ServerResponse): void {
  const { get, set } = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(response),
    'statusCode'
  ) as Required<PropertyDescriptor>
  let lift: (() => void) | undefined
  const end = (): void => {
    lift?.()
    lift = undefined
  }
  const begin = (): void => {
    const methods = implicit.map((name): [string, (...args: never[]) => unknown] => [
      name,
      (...args) => {
        end()
        if (!response.headersSent) response.writeHead(101)
        // A function around `writeHead` may have set the status once more.
        end()
        return Reflect.apply(response[name] as (...args: never[]) => unknown, response, args)
      }
    ])
    lift = override(response, Object.fromEntries(methods))
  }
  Object.defineProperty(response, 'statusCode', {
    configurable: true,
    get: () => (lift !== undefined ? 101 : get.call(response)),
    set: (status: number) => {
      end()
      if (status === 101) begin()
      else set.call(response, status)
    }
  })
}
