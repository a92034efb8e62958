import { inspect } from 'node:util'
import type { HandshakeError } from '@oneport/core'
import { logRefusal } from '@oneport/core/adapter'
import type { Request, Response } from 'express'

/**
 * Logs a refusal once. Where the application has no error middleware, Express answers with a page of its own and prints the
 * error: its stack, or since 5.3 all of it. As soon as that page is on its way, the stack may say what is for the operator
 * alone; it has not been read for the log by then. Whoever else answers prints nothing that this line has.
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
  // Nobody has answered.
  res.once('close', log)
}

/** What Express answers with where nobody has handled an error: https://github.com/pillarjs/finalhandler */
const isPageOfExpress = (res: Response): boolean =>
  res.getHeader('Content-Security-Policy') === "default-src 'none'" &&
  res.getHeader('Content-Type') === 'text/html; charset=utf-8'
