import type { IncomingMessage } from 'node:http'
import type { EndpointOptions, WebSocket } from '@oneport/core'

/** One WebSocket endpoint of the application under test. */
export interface ContractRoute {
  readonly path: string
  readonly endpoint: EndpointOptions
  /**
   * Middleware or a hook in front of the endpoint. What it rejects with goes to the framework's error handling, which
   * answers with `error.status`.
   */
  before(req: IncomingMessage): Promise<void>
  /** The handler of the connection. */
  handler(socket: WebSocket): unknown
}

/** What middleware of the application sets on every response, before a route is looked for. */
export const fields: readonly (readonly [name: string, value: string | string[]])[] = [
  ['X-Request-Id', '42'],
  ['Set-Cookie', ['a=1; Path=/', 'b=2; HttpOnly']]
]

/** What an endpoint can wait for, and a test can open. */
export interface Gate {
  readonly arrived: Promise<void>
  open(): void
  enter(): Promise<void>
}

export function makeGate(): Gate {
  let open = () => {}
  let arrive = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  return {
    arrived,
    open,
    enter: () => {
      arrive()
      return opened
    }
  }
}

/** The endpoints of the application under test. */
export function endpoints(gate: Gate): ContractRoute[] {
  const echo = (socket: WebSocket) => socket.on('message', (data, binary) => socket.send(data, { binary }))
  const go = async () => {}
  const broken = () => new Error('broken')
  const route = (path: string, handler: ContractRoute['handler'] = echo, more: Partial<ContractRoute> = {}) => ({
    path,
    handler,
    endpoint: {},
    before: go,
    ...more
  })
  return [
    route('/chat', echo, { endpoint: { subprotocols: ['chat', 'chat.v1'] } }),
    route('/strict', echo, { endpoint: { subprotocols: ['chat'], requireSubprotocol: true } }),
    route('/deflate', echo, { endpoint: { perMessageDeflate: true } }),
    route('/gate', echo, { before: () => gate.enter() }),
    route('/listens-late', async (socket) => {
      await gate.enter()
      echo(socket)
    }),
    route('/pushes', async (socket) => {
      socket.send('pushed')
      await gate.enter()
    }),
    route('/small', (socket) => void socket.send(Buffer.alloc(16_000_000)), {
      endpoint: { maxBufferedBytes: 1_000_000 }
    }),
    route('/guarded', echo, {
      before: () => Promise.reject(Object.assign(new Error('Log in first'), { status: 401, statusCode: 401 }))
    }),
    route('/throws', echo, { before: () => Promise.reject(broken()) }),
    route('/closes', (socket) => socket.close(4001, 'bye')),
    route('/handler-throws', () => {
      throw broken()
    }),
    route('/handler-rejects', () => Promise.reject(broken())),
    route('/listener-throws', (socket) =>
      socket.on('message', () => {
        throw broken()
      })
    ),
    route('/listener-rejects', (socket) => socket.on('message', () => Promise.reject(broken())))
  ]
}
