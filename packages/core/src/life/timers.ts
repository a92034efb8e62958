import { AsyncResource } from 'node:async_hooks'

/**
 * Timers that many connections share. They run in the async context in which the server was attached. Otherwise they
 * would run in that of the client that happened to start them, with its `AsyncLocalStorage`.
 */
export class Timers extends AsyncResource {
  constructor() {
    super('ONEPORT_TIMERS', { requireManualDestroy: true })
  }

  /** A timeout that does not keep the process alive. */
  after(ms: number, run: () => void): NodeJS.Timeout {
    return this.runInAsyncScope(setTimeout, undefined, run, ms).unref()
  }

  /** An interval that does not keep the process alive. */
  every(ms: number, run: () => void): NodeJS.Timeout {
    return this.runInAsyncScope(setInterval, undefined, run, ms).unref()
  }
}
