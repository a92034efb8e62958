import { setTimeout as delay } from 'node:timers/promises'
import type { EndpointOptions, WebSocket } from '@oneport/core'
import { serve } from './books.ts'

/** A fault that an endpoint causes on purpose. */
export class Planned extends Error {}

/** A refusal by the application, before the handshake is checked. */
export class Refusal extends Error {
  readonly status = 401
  readonly statusCode = 401
}

/** A WebSocket route of the servers under test. Each adapter serves all of them its own way. */
export interface Endpoint {
  readonly path: string
  readonly options: EndpointOptions
  /** What middleware does before the route. */
  before(): void | Promise<void>
  serve(socket: WebSocket): void | Promise<void>
}

const echo = (socket: WebSocket): void => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
}

const endpoint = (path: string, given: Partial<Endpoint> = {}): Endpoint => ({
  path,
  options: {},
  before: () => {},
  ...given,
  serve: (socket) => {
    serve(socket)
    return (given.serve ?? echo)(socket)
  }
})

const fail = (): never => {
  throw new Planned('planned')
}

const oneMebibyte = Buffer.alloc(1_048_576)

/** How much `/unread` buffers for a client that does not read. */
export const maxUnreadBytes = 1_048_576

const filler = Buffer.alloc(16_384)

/**
 * Fills the system's buffers, so that all further messages wait in the process, and echoes each message a hundred
 * times.
 */
function overwhelm(socket: WebSocket): void {
  for (let sent = 0; socket.bufferedAmount === 0 && sent < mostFillers; sent++) socket.send(filler)
  socket.on('message', (data, isBinary) => {
    for (let copies = 0; copies < 100; copies++) socket.send(data, { binary: isBinary })
  })
}

/** 64 MiB: the most that a client gets if it does read. */
const mostFillers = 4_096

export const endpoints: readonly Endpoint[] = [
  endpoint('/echo'),
  endpoint('/room/:name'),
  endpoint('/slow', { before: () => delay(2) }),
  endpoint('/late', { serve: async (socket) => echo(await delay(2, socket)) }),
  endpoint('/subprotocols', { options: { subprotocols: ['chat.v2', 'chat.v1'] } }),
  endpoint('/deflate', { options: { perMessageDeflate: true } }),
  endpoint('/refused', {
    before: () => {
      throw new Refusal('Log in first.')
    }
  }),
  endpoint('/throws', { before: fail }),
  endpoint('/stall', { before: () => new Promise(() => {}) }),
  endpoint('/handler-throws', { serve: fail }),
  endpoint('/handler-rejects', {
    serve: async () => {
      await delay(1)
      fail()
    }
  }),
  endpoint('/listener-throws', { serve: (socket) => void socket.on('message', fail) }),
  endpoint('/closes', { serve: (socket) => socket.close(1000) }),
  endpoint('/terminates', { serve: (socket) => socket.terminate() }),
  endpoint('/deaf', { serve: () => {} }),
  endpoint('/waits', { serve: () => new Promise((resolve) => setTimeout(resolve, 50)) }),
  endpoint('/holds', { serve: () => new Promise(() => {}) }),
  endpoint('/floods', { serve: (socket) => socket.send(oneMebibyte) }),
  endpoint('/unread', { options: { maxBufferedBytes: maxUnreadBytes, perMessageDeflate: true }, serve: overwhelm })
]
