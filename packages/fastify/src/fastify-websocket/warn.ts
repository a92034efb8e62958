import type { FastifyInstance } from 'fastify'
import { hasLogger } from '../log.ts'

/** Warns of something that the application's author should change. */
export function warn(app: FastifyInstance, message: string): void {
  if (hasLogger(app)) app.log.warn(message)
  else process.emitWarning(message, { code: 'ONEPORT_FASTIFY' })
}
