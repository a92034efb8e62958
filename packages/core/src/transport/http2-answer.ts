import type { ServerResponse } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { HandshakeError } from '../errors.ts'
import { frameworkWriteHead, type Transport } from '../handshake.ts'
import { fieldsOf, removeOwnedFields } from '../http-fields.ts'
import { override } from '../raw-methods.ts'
import { refusalOf } from '../refuse.ts'
import { watchHeadersSent } from './shield.ts'

/** Answers handshakes over HTTP/2 (RFC 8441 §5): a 101 is sent as 200, and the stream stays open. */
export const http2: Transport = {
  switchProtocols({ response, head = '' }): void {
    removeOwnedFields(response)
    const fields = fieldsOf(head)
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index] as string
      if (isForHttp2(name)) response.setHeader(name, fields[index + 1] as string)
    }
    Reflect.deleteProperty(response, 'statusCode')
    frameworkWriteHead(response, 200)
    disarm(response, ['finish', 'close'])
    watchHeadersSent(response)
  },

  prepareRefusal({ response }, status): number {
    // HTTP/2 has no connection-specific fields (RFC 9113 §8.2.2). Node would throw for them.
    response.removeHeader('Upgrade')
    response.removeHeader('Keep-Alive')
    if (status < 200 || status > 299) return status
    // A 2xx would accept the CONNECT (RFC 9110 §9.3.6), but this answer is an ordinary page.
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
      // The application has answered on the stream itself, without its response.
      stream.close(constants.NGHTTP2_CANCEL)
      return
    }
    stream.respond({ ':status': status, ...headers })
    stream.end(body)
  },

  part({ response }): void {
    disarm(response, ['close'])
  },

  /** Nothing to do: Node aborts the request itself. */
  abort(): void {}
}

/** HTTP/2 has neither the key nor connection-specific fields (RFC 8441 §5). */
const isForHttp2 = (name: string): boolean => /^sec-websocket-(?:protocol|extensions)$/i.test(name)

/**
 * Disconnects the application's response: late writes go nowhere, and it emits these events when the application ends
 * it, not when the stream closes.
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

/** Methods that write the head if `writeHead` was not called. Node does so with a status that it keeps internally. */
const implicit = ['write', 'end', 'flushHeaders'] as const

/**
 * Lets `response.statusCode` be 101 until the head is written: on HTTP/2, Node's own setter throws for it. The methods
 * that write the head implicitly then call `writeHead(101)` first. https://nodejs.org/api/http2.html#responsestatuscode
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
        // A wrapper around `writeHead` may have set the status again.
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
