import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { freePort } from '@oneport/test-kit'
import { findFreePort } from '../src/port.ts'

let servers: Server[]

beforeEach(() => {
  servers = []
})

afterEach(async () => {
  for (const server of servers) await once(server.close(), 'close')
})

async function occupy(port: number, host: string): Promise<void> {
  const server = createServer((socket) => socket.destroy()).listen(port, host)
  servers.push(server)
  await once(server, 'listening')
}

it('takes the first port if it is free', async () => {
  const port = await freePort()
  expect(await findFreePort('127.0.0.1', port)).toBe(port)
})

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', '0.0.0.0'],
  ['0.0.0.0', '127.0.0.1'],
  // Browsers go to ::1 first.
  ['127.0.0.1', '::1']
])('for %s skips a port that is in use on %s', async (host, other) => {
  const port = await freePort()
  await occupy(port, other)
  expect(await findFreePort(host, port)).toBeGreaterThan(port)
})

it('finds none after the last port', async () => {
  expect(await findFreePort('127.0.0.1', 65_536)).toBeUndefined()
})

it('reports a host on which it cannot listen', async () => {
  await expect(findFreePort('192.0.2.1', 3_000)).rejects.toThrow('EADDRNOTAVAIL')
})
