import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closed, type Inbox, loopback, openRaw, testOnBoth } from '@oneport/test-kit'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'
import { ask, echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

const { connect } = useServers()
let servers: Server[] = []

afterEach(async () => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
  servers = []
})

const layouts: [string, hosts: string[]][] = [
  ['one dual-stack server', ['::']],
  ['a server for each', [...loopback]]
]

describe.each(versions)('%s', (_name, express) => {
  testOnBoth.each(layouts)(
    'accepts handshakes at both loopback addresses on %s, and closes them',
    async (_what, hosts) => {
      const app = express()
      app.use(wsUpgrade())
      app.get('/echo', (req, res) => acceptWebSocket(req, res, echo))
      servers = hosts.map((host) => app.listen(0, host))
      await Promise.all(servers.map((server) => once(server, 'listening')))
      const ports = servers.map((server) => (server.address() as AddressInfo).port)
      const targets = loopback.map((host, index) => ({ host, port: ports[index] ?? (ports[0] as number) }))

      const clients: Inbox[] = []
      for (const target of targets) clients.push(await connect(target, '/echo'))
      for (const client of clients) expect(await ask(client, 'hello')).toBe('hello')
      const ends = Promise.all(clients.map(({ socket }) => closed(socket)))
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
      expect((await ends).map(({ code }) => code)).toEqual([1001, 1001])
      for (const target of targets) await expect(openRaw(target)).rejects.toThrow('ECONNREFUSED')
    }
  )
})
