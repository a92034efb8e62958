import { AsyncResource } from 'node:async_hooks'

/**
 * Captures the AsyncLocalStorage context of the code that creates it, for data that arrives later. It has the type of
 * Node's own connections, which tools that look for open handles, such as Jest, ignore.
 */
export class Context extends AsyncResource {
  constructor() {
    super('TCPWRAP', { requireManualDestroy: true })
  }
}

const ofServers = new Context()

/**
 * Runs the server's side of a connection outside the AsyncLocalStorage context of the test, because over a network a
 * server does not see the context of its client.
 */
export const asServer = <Result>(work: () => Result): Result => ofServers.runInAsyncScope(work)
