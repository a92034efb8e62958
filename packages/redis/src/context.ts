import { AsyncResource } from 'node:async_hooks'

/**
 * The AsyncLocalStorage of the code that makes it, for what runs later. Nothing happens with it by itself, which what looks
 * for open handles, as Jest does, asks every resource.
 */
export class Context extends AsyncResource {
  constructor() {
    super('ONEPORT', { requireManualDestroy: true })
  }

  hasRef(): boolean {
    return false
  }
}
