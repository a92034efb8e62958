import type { EndpointOptions } from '@oneport/core'
import type { Request } from 'express'
import type { ExpressApplication } from './mounting.ts'

/** The options for endpoints of each application's `wsUpgrade()` that has neither a path nor a handler. */
const options = new WeakMap<object, Set<string>>()

/** Notes that a `wsUpgrade()` is for all routes of an application: those that come after it. */
export function noteForAllRoutes(app: ExpressApplication, given: EndpointOptions): void {
  const names = options.get(app) ?? new Set()
  for (const name of Object.keys(given)) names.add(name)
  options.set(app, names)
}

/**
 * Warns that a route comes before the `wsUpgrade()` of its application, so that the options given there are not in force.
 * Call it for a handshake that has not passed one. Warns once per application.
 */
export function warnIfBehindRoutes(req: Request): void {
  for (let app: ExpressApplication | undefined = req.app; app !== undefined; app = app.parent) {
    const names = options.get(app)
    if (names === undefined || names.size === 0) continue
    options.delete(app)
    process.emitWarning(
      'wsUpgrade: a route comes before app.use(wsUpgrade(…)), so options given there are not in force for it: ' +
        `${[...names].join(', ')}. Put app.use(wsUpgrade(…)) before the routes.`,
      { code: 'ONEPORT_BEHIND_ROUTES' }
    )
    return
  }
}
