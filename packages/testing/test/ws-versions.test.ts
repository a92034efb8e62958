import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import type * as ws from 'ws'
import type * as testing from '../src/index.ts'
import { accepting } from './server.ts'

const read = (file: string) => JSON.parse(readFileSync(join(__dirname, '..', file), 'utf8'))

test('works with the oldest ws that the package allows', async () => {
  expect(read('package.json').peerDependencies).toEqual({ ws: '^8.17.0' })
  expect(read('node_modules/ws-8.17/package.json').version).toBe('8.17.0')
  let loaded: typeof ws | undefined
  const { connect, expectRefused } = await new Promise<typeof testing>((resolve) => {
    jest.isolateModules(() => {
      jest.doMock('ws', () => {
        loaded = jest.requireActual('ws-8.17')
        return loaded
      })
      resolve(require('../src/index.ts') as typeof testing)
    })
  })
  const server = accepting((socket) => {
    socket.send('hello')
    socket.on('message', (data) => socket.send(String(data)))
  })
  const notThere: RequestListener = (_req, res) => res.writeHead(404).end('not there')
  for (const port of [false, true]) {
    const client = await connect(server, '/', { port, perMessageDeflate: true })
    expect(await client.next()).toBe('hello')
    client.send('x')
    expect(await client.next()).toBe('x')
    await client.ping()
    expect(await client.close(3001, 'bye')).toEqual({ code: 3001, reason: 'bye', clean: true })
    expect(client.socket.constructor).toBe(loaded?.WebSocket)
    expect(await expectRefused(notThere, '/', { port })).toMatchObject({ status: 404, body: 'not there' })
  }
})
