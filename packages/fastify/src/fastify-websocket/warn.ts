import type { FastifyInstance } from 'fastify'
import { hasLogger } from '../log.ts'

/** The process warnings so far. */
const emitted = new Set<string>()

/**
 * Warns about something that the author of the application should change. Without a logger, it emits a process warning,
 * each only once, because tests may create many applications.
 */
export function warn(app: FastifyInstance, message: string): void {
  if (hasLogger(app)) {
    app.log.warn(message)
    return
  }
  if (emitted.has(message)) return
  emitted.add(message)
  process.emitWarning(message, { code: 'ONEPORT_FASTIFY' })
}
