import { inspect } from 'node:util'
import type { HandshakeError } from '@oneport/core'
import { logRefusal } from '@oneport/core/adapter'
import type { Request, Response } from 'express'

/**
 * Logs a refusal once. If the application has no error middleware, Express sends its own error page and prints the
 * error: its stack, or since 5.3 the whole error. As soon as that page is being sent, the details for the operator can
 * be added to the stack, because Express prints it later. In all other cases, the refusal is logged here.
 */
export function logOnce(error: HandshakeError, req: Request): void {
  const { res } = req
  if (error.detail === undefined) return
  if (res === undefined || res.headersSent) {
    logRefusal(error)
    return
  }
  let isLogged = false
  const log = (): void => {
    if (isLogged) return
    isLogged = true
    if (isPageOfExpress(res) && req.app.get('env') !== 'test') error.stack = inspect(error)
    else logRefusal(error)
  }
  const { writeHead } = res
  res.writeHead = (...args: unknown[]) => {
    log()
    res.writeHead = writeHead
    return Reflect.apply(writeHead, res, args)
  }
  // There was no response.
  res.once('close', log)
}

/** Whether this is the page that Express sends for an unhandled error: https://github.com/pillarjs/finalhandler */
const isPageOfExpress = (res: Response): boolean =>
  res.getHeader('Content-Security-Policy') === "default-src 'none'" &&
  res.getHeader('Content-Type') === 'text/html; charset=utf-8'
