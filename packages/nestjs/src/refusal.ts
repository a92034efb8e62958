import { STATUS_CODES } from 'node:http'
import { ForbiddenException, HttpException } from '@nestjs/common'
import { WsException } from '@nestjs/websockets'
import { HandshakeError } from '@oneport/core'
import type { FrameworkResponse } from './framework.ts'

/**
 * What the exception filters of Nest get for an error. A refusal is both an `HttpException`, which Nest answers with its
 * status and does not log as an error, and a `HandshakeError`, so that `@Catch(HandshakeError)` matches. Its header
 * fields are set on the response, because Nest does not know them. A `WsException`, which guards written for messages
 * throw, is a 403.
 */
export function forFilters(error: unknown, response: FrameworkResponse): unknown {
  if (isWsException(error)) return new ForbiddenException(error.getError())
  if (!(error instanceof HandshakeError)) return error
  for (const [name, value] of Object.entries(error.headers))
    (response.header ?? response.setHeader)?.call(response, name, value)
  return error instanceof HttpException ? error : toHttpException(error)
}

/** Whether an error is for the client of a gateway. A value that cannot be examined is none. */
export function isWsException(error: unknown): error is WsException {
  try {
    return error instanceof WsException
  } catch {
    return false
  }
}

function toHttpException(error: HandshakeError): HttpException & HandshakeError {
  const { expose, message, status } = error
  const exception = new HttpException({ statusCode: status, message: expose ? message : STATUS_CODES[status] }, status)
  const { constructor: _, ...shared } = Object.getOwnPropertyDescriptors(HandshakeError.prototype)
  return Object.defineProperties(exception, {
    ...shared,
    ...Object.getOwnPropertyDescriptors(error)
  }) as HttpException & HandshakeError
}
