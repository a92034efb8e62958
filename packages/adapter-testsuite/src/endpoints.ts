import type { WebSocket } from '@oneport/core'
import type { Endpoint, Fields, Page } from './application.ts'
import type { Gate } from './gate.ts'

/** Fields that middleware sets on every response. */
export const fields: Fields = { 'X-Request-Id': '42', 'Set-Cookie': ['a=1; Path=/', 'b=2; HttpOnly'] }

/** Fields that are set on every response as it is sent. */
export const lateFields: Fields = { 'X-Late': 'as it is sent' }

/** Ordinary routes: one that always answers, and one for each path where middleware does something. */
export const pages: readonly Page[] = ['plain', 'gate', 'guarded', 'throws'].map((name) => ({
  path: name === 'plain' ? '/plain' : `/plain-${name}`,
  text: 'plain'
}))

/** More than any network buffers, so that what is sent afterwards waits in the process. */
const more = Buffer.alloc(12_000_000)

/**
 * The WebSocket endpoints.
 *
 * @param thrown returns the value that the throwing endpoints throw
 */
export function endpoints(gate: Gate, thrown: () => unknown): Endpoint[] {
  const echo = (socket: WebSocket) => socket.on('message', (data, binary) => socket.send(data, { binary }))
  const endpoint = (path: string, handler: Endpoint['handler'] = echo, options: Endpoint['options'] = {}) => ({
    path,
    handler,
    options
  })
  const raise = () => {
    throw thrown()
  }
  const reject = async () => raise()
  return [
    endpoint('/chat', echo, { subprotocols: ['chat', 'chat.v1'] }),
    endpoint('/strict', echo, { subprotocols: ['chat'], requireSubprotocol: true }),
    endpoint('/deflate', echo, { perMessageDeflate: true }),
    // fixture.ts has the middleware of these three.
    endpoint('/gate'),
    endpoint('/guarded'),
    endpoint('/throws'),
    endpoint('/listens-late', async (socket) => {
      await gate.enter()
      echo(socket)
    }),
    endpoint('/pushes', async (socket) => {
      socket.send('pushed')
      await gate.enter()
    }),
    endpoint('/small', (socket) => void socket.send(Buffer.alloc(16_000_000)), { maxBufferedBytes: 1_000_000 }),
    endpoint('/many', (socket) => {
      socket.send(more)
      for (let count = 0; count < 50_000; count++) socket.send('x')
    }),
    endpoint('/closes', (socket) => socket.close(4001, 'bye')),
    endpoint('/handler-throws', raise),
    endpoint('/handler-rejects', reject),
    endpoint('/listener-throws', (socket) => socket.on('message', raise)),
    endpoint('/listener-rejects', (socket) => socket.on('message', reject))
  ]
}
