import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { broadcastAsAsked, broadcastText } from './broadcast.ts'
import { listen, type Settings, subprotocol } from './endpoint.ts'

/** crossws on Node.js, with its own topics. */
export async function start(_settings: Settings): Promise<Server> {
  const { default: crossws } = await import('crossws/adapters/node')
  const adapter = crossws({
    handleProtocols: (offered) => offered.has(subprotocol) && subprotocol,
    hooks: {
      open: (peer) => {
        peer.subscribe('news')
      },
      message: (_peer, message) => broadcastAsAsked(message.text(), () => adapter.publish('news', broadcastText))
    }
  })
  const server = createServer()
  server.on('upgrade', adapter.handleUpgrade)
  return listen(server)
}
