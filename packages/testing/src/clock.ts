import * as timers from 'node:timers'

/**
 * Timers as they were when this was loaded: a test that puts fake ones in their place stops neither the wire nor the
 * end of a wait.
 */
export const { setImmediate, setTimeout, clearTimeout } = timers
