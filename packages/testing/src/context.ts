import { AsyncResource } from 'node:async_hooks'

/**
 * The AsyncLocalStorage of the code that makes it, for what arrives later. It has the type of Node's own connections, which
 * what looks for open handles, as Jest does, leaves out.
 */
export class Context extends AsyncResource {
  constructor() {
    super('TCPWRAP', { requireManualDestroy: true })
  }
}

const ofServers = new Context()

/**
 * Does what the server's side of a connection comes from, outside the AsyncLocalStorage of the test that connects: over a
 * network a server knows nothing of its clients'.
 */
export const asServer = <Result>(work: () => Result): Result => ofServers.runInAsyncScope(work)
