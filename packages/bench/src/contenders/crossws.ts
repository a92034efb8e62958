import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { answerPlain, listen, origin, type Settings, subprotocol } from './endpoint.ts'

/** crossws on Node.js. By default it has a heartbeat that pings all clients at once. */
export async function start({ heartbeat }: Settings): Promise<Server> {
  const { default: crossws } = await import('crossws/adapters/node')
  const adapter = crossws({
    ...(typeof heartbeat === 'number' && { idleTimeout: heartbeat / 1_000 }),
    handleProtocols: (offered) => offered.has(subprotocol) && subprotocol,
    hooks: {
      upgrade: (request) =>
        request.headers.get('origin') === origin ? undefined : new Response('Forbidden\n', { status: 403 }),
      message: (peer, message) => {
        peer.send(message.text())
      }
    }
  })
  const server = createServer(answerPlain)
  server.on('upgrade', adapter.handleUpgrade)
  return listen(server)
}
