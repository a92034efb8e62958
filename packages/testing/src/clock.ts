import * as timers from 'node:timers'

/**
 * The real timers, captured when this module is loaded: fake timers of a test must stop neither the wire nor the end of
 * a wait.
 */
export const { setImmediate, setTimeout, clearTimeout } = timers
