import { connect, expectRefused } from '@oneport/testing'
import * as first from '../src/index.ts'
import { serving } from './serving.ts'
import { versions } from './versions.ts'

/** A second copy of this package and of core, as bundlers make them, each with its own state. */
let second = first
jest.isolateModules(() => {
  second = require('../src/index.ts')
})

describe.each(versions)('Two copies of the package in an application with %s', (_name, version) => {
  test('share a server that one of them has attached', async () => {
    const app = new version.Hono()
    const errors: unknown[] = []
    app.onError((error, c) => {
      errors.push(error)
      return c.text('refused', 403)
    })
    app.get(
      '/one',
      first.webSocket((socket) => socket.send('one'))
    )
    app.get(
      '/other',
      second.webSocket((socket) => socket.send('other'))
    )
    const { server, websockets } = serving(version, app, { onRefused: () => {} })
    expect(await (await connect(server, '/one')).next()).toBe('one')
    expect(await (await connect(server, '/other')).next()).toBe('other')
    expect(websockets.connections.size).toBe(2)
    expect((await expectRefused(server, '/other', { origin: 'https://other.example' })).body).toBe('refused')
    expect(errors).toEqual([expect.any(first.HandshakeError)])
    expect(() => second.attach(server)).toThrow('this server is already attached')
  })
})
