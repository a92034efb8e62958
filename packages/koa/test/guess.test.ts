import { handshake, sendRaw } from '@oneport/test-kit'
import Koa from 'koa'
import { type WsUpgradeOptions, wsUpgrade } from '../src/index.ts'
import { get, useServers } from './servers.ts'

const { serve } = useServers()

/**
 * Ends the wait of a `wsUpgrade()` for its server, so that the next test has the only one that waits. The tests of this
 * file depend on that, and on no other ones.
 */
async function giveServer(websockets: ReturnType<typeof wsUpgrade>): Promise<void> {
  await sendRaw(await serve(new Koa().use(websockets)), get('/'))
}

/** An application without a `wsUpgrade()`. */
const plain = new Koa().use((ctx) => {
  ctx.body = ctx.get('Authorization') || ctx.get('Sec-WebSocket-Protocol')
})

describe('The only wsUpgrade() of the process, whose server is not known yet,', () => {
  test('gets the reports of handshakes that never reach the application', async () => {
    const refusals: string[] = []
    const websockets = wsUpgrade({ onRefused: ({ code }) => refusals.push(code) })
    const target = await serve(new Koa().use(websockets))
    expect((await sendRaw(target, handshake('/', { Host: '' }))).status).toBe(400)
    expect(refusals).toEqual(['HANDSHAKE_HOST'])
    await giveServer(websockets)
  })

  test.each<[string, WsUpgradeOptions]>([
    ['takes no bearer token from handshakes of another application', { bearerSubprotocol: 'bearer.' }],
    ['does not claim handshakes of another application', { claims: () => true }]
  ])('%s', async (_what, options) => {
    const claims = options.claims && jest.fn(options.claims)
    const websockets = wsUpgrade({ ...options, claims })
    const target = await serve(plain)
    target.server.on('upgrade', () => {})
    const { rest, status } = await sendRaw(target, handshake('/', { 'Sec-WebSocket-Protocol': 'bearer.secret' }))
    expect([status, rest, claims?.mock.calls ?? []]).toEqual([200, 'bearer.secret', []])
    await giveServer(websockets)
  })

  test('gives other servers nothing any more once its own is known', async () => {
    const onRefused = jest.fn()
    await giveServer(wsUpgrade({ onRefused }))
    await sendRaw(await serve(plain), handshake('/', { Host: '' }))
    expect(onRefused).not.toHaveBeenCalled()
  })
})
