import { once } from 'node:events'
import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { handshake, sendRaw, type Target } from '@oneport/test-kit'
import { Server as SocketIo } from 'socket.io'
import { io, type Socket as SocketIoClient } from 'socket.io-client'
import { alone, aloneOverTls, shared, sharedOverTls, table } from './arrangements.ts'
import { connect, endClients, liveThrough } from './conversations.ts'
import { endServers, share } from './shared-server.ts'
import { within } from './within.ts'

const clients: SocketIoClient[] = []
const servers: SocketIo[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect()
  for (const server of servers.splice(0)) server.disconnectSockets(true)
  endClients()
  await endServers()
})

/**
 * Time after which Socket.IO ends a handshake without an answer, in milliseconds. Timers of one length run in the order
 * in which they start.
 */
const destroyUpgradeTimeout = 50

/** Echoes messages. For `/socket.io/?deny`, `allowRequest` refuses after a while. */
function join(server: Server): void {
  const sockets = new SocketIo(server, {
    destroyUpgradeTimeout,
    maxHttpBufferSize: 2_000_000,
    allowRequest: (req, decide) => {
      setTimeout(() => decide('not you', !req.url?.includes('deny')), 10)
    }
  })
  sockets.on('connection', (socket) => socket.on('echo', (data, answer) => answer(data)))
  servers.push(sockets)
}

async function connectSocketIo({ port, tls }: Target, transports: string[]): Promise<SocketIoClient> {
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
  const client = io(url, { transports, reconnection: false, forceNew: true, rejectUnauthorized: false })
  clients.push(client)
  await within('Socket.IO connects', connected(client))
  return client
}

const connected = (client: SocketIoClient): Promise<void> =>
  new Promise((resolve, reject) => client.once('connect', resolve).once('connect_error', reject))

describe.each(table([alone, ...shared, aloneOverTls, ...sharedOverTls]))(
  '%s, Socket.IO',
  (_arrangement, arrangement) => {
    test.each([[['websocket']], [['polling', 'websocket']]])('gets its clients over %j', async (transports) => {
      const server = await share(arrangement, join)
      const client = await connectSocketIo(server, transports)
      const { engine } = client.io
      if (engine.transport.name !== 'websocket') await within('the transport changes', once(engine as never, 'upgrade'))
      const data = Buffer.alloc(1_048_576, 'g')
      const answer = await within('the answer arrives', client.emitWithAck('echo', data))
      expect(data.equals(answer as Buffer)).toBe(true)
      client.disconnect()
      await server.close()
    })

    test('refuses late what it does not allow', async () => {
      const server = await share(arrangement, join)
      const { text } = await within(
        'Socket.IO refuses',
        sendRaw(server, handshake('/socket.io/?EIO=4&transport=websocket&deny'))
      )
      expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n.*\r\n\r\nnot you$/s)
      await server.close()
    })
  }
)

describe.each(table([...shared, ...sharedOverTls]))('%s, Socket.IO', (_arrangement, arrangement) => {
  test('does not end our connection when its timer fires', async () => {
    const server = await share(arrangement, join)
    const client = await connect(server, '/ours')
    await sleep(destroyUpgradeTimeout)
    await liveThrough(client, 'ours')
    await server.close()
  })

  test('does not end our handshake when its timer fires before the application decides', async () => {
    const server = await share(arrangement, join)
    const connecting = connect(server, '/ours/later')
    await within('the application gets the handshake', server.application.arrived)
    await sleep(destroyUpgradeTimeout)
    server.application.goOn()
    await liveThrough(await connecting, 'ours', 'server')
    await server.close()
  })

  test('shares a server with us at the same time', async () => {
    const server = await share(arrangement, join)
    const [ours, theirs] = await Promise.all([connect(server, '/ours'), connectSocketIo(server, ['websocket'])])
    expect(await within('the answer arrives', theirs.emitWithAck('echo', 'hello'))).toBe('hello')
    await liveThrough(ours, 'ours')
    theirs.disconnect()
    await server.close()
  })
})
