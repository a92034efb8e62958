import type { FastifyInstance } from 'fastify'
import { hasLogger } from '../log.ts'

/** Warns about something that the author of the application should change. */
export function warn(app: FastifyInstance, message: string): void {
  if (hasLogger(app)) app.log.warn(message)
  else process.emitWarning(message, { code: 'ONEPORT_FASTIFY' })
}
