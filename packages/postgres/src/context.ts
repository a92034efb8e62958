import { AsyncResource } from 'node:async_hooks'

/**
 * Captures the AsyncLocalStorage context of the code that creates it, for code that runs later. It never keeps the
 * process alive, and says so to tools that look for open handles, such as Jest.
 */
export class Context extends AsyncResource {
  constructor() {
    super('ONEPORT', { requireManualDestroy: true })
  }

  hasRef(): boolean {
    return false
  }
}
