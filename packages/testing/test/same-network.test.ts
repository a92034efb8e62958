import { once } from 'node:events'
import { type Client, type ConnectOptions, connect, createNetwork, expectRefused, type Network } from '../src/index.ts'
import { type Application, applications, startApplication } from './applications.ts'

const cut = { code: 1006, reason: '', clean: false }

async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await new Promise((resolve) => setImmediate(resolve))
}

/** The same behaviour for every kind of connection. */
describe.each(applications)('a network before %s', (_name, served) => {
  describe.each([
    ['in memory', false],
    ['over a port', true]
  ])('%s', (_way, port) => {
    let application: Application
    let network: Network

    beforeEach(async () => {
      application = await startApplication(served)
      network = await createNetwork(application.target, { port, http2: served.http2 })
    })

    afterEach(async () => {
      network.close()
      await application.close()
    })

    const open = (path: string, options?: ConnectOptions): Promise<Client> => connect(network, path, options)

    test('lets everything through', async () => {
      const client = await open('/echo', { subprotocols: ['chat.v1'] })
      expect(client.subprotocol).toBe('chat.v1')
      client.send('hello')
      expect([await client.next(), await client.next(), await client.next()]).toEqual(['one', 'two', 'hello'])
      const end = await open('/end')
      await end.ping()
      expect(await end.close(3001)).toMatchObject({ code: 3001, clean: true })
      expect(await application.heard.end).toBe(3001)
      expect((await expectRefused(network, '/refused')).status).toBe(401)
    })

    test('cuts a connection for both ends', async () => {
      const client = await open('/end')
      network.cut()
      expect(await client.closed).toEqual(cut)
      expect(await application.heard.end).toBe(1006)
      expect(network.connections).toEqual([])
      await open('/end')
    })

    test('lets nothing through while it is frozen, not even the end', async () => {
      const client = await open('/end')
      let pongs = 0
      client.socket.on('pong', () => pongs++)
      network.freeze()
      client.socket.ping()
      await turns()
      expect(pongs).toBe(0)
      client.terminate()
      expect(await client.closed).toEqual(cut)
      expect(network.connections).toHaveLength(1)
      network.thaw()
      expect(await application.heard.end).toBe(1006)
    })

    test('delivers what it has held back, in order', async () => {
      const client = await open('/echo')
      await client.next()
      await client.next()
      network.freeze('toClient')
      for (let count = 0; count < 100; count++) client.send(`message ${count}`)
      network.thaw()
      for (let count = 0; count < 100; count++) expect(await client.next()).toBe(`message ${count}`)
    })

    test('refuses with a status, as if nobody listened, and not any more', async () => {
      network.refuse({ status: 503, times: 1 })
      expect(await expectRefused(network, '/echo')).toMatchObject({ status: 503, body: '' })
      network.refuse()
      await expect(open('/echo')).rejects.toThrow('connect: the handshake of /echo failed: connect ECONNREFUSED')
      network.accept()
      await open('/echo')
    })

    test('has a class of WebSockets', async () => {
      const socket = new network.WebSocket('ws://app.example/echo', 'chat.v1')
      const message = once(socket, 'message')
      const connection = await network.next()
      expect(connection.url).toBe('ws://app.example/echo')
      expect([socket.url, socket.protocol, socket.readyState]).toEqual(['ws://app.example/echo', 'chat.v1', 1])
      expect(String((await message)[0])).toBe('one')
      connection.cut()
      const [code] = await once(socket, 'close')
      expect(code).toBe(1006)
    })
  })
})
