import type { Socket } from 'node:net'
import { handshake, headArrived, openRaw, sendRaw, signal, takePrinted } from '@oneport/test-kit'
import type Koa from 'koa'
import { type WsUpgradeOptions, wsUpgrade } from '../src/index.ts'
import { echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

/** The settings of Koa for proxies. */
interface Settings {
  readonly proxy?: boolean
  readonly proxyIpHeader?: string
  readonly maxIpsCount?: number
}

const forwarded = (more: Record<string, string> = {}): Record<string, string> => ({
  Host: 'backend.internal:8080',
  'X-Forwarded-Host': 'app.example',
  'X-Forwarded-Proto': 'https',
  Origin: 'https://app.example',
  ...more
})

describe.each(versions)('Behind a proxy, %s', (_name, Koa) => {
  const { serve } = useServers()

  function appOf(settings: Settings, options: WsUpgradeOptions = {}): Koa {
    const app = new Koa(settings)
    app.use(wsUpgrade({ onRefused: () => {}, ...options }))
    app.use((ctx) => ctx.acceptWebSocket(echo))
    return app
  }

  const statusOf = async (app: Koa, fields: Record<string, string>): Promise<number> =>
    (await sendRaw(await serve(app), handshake('/', fields), headArrived)).status

  test.each<[string, Record<string, string>, number]>([
    ['uses the forwarded host and scheme', {}, 101],
    ['refuses the Host that the proxy uses', { Origin: 'https://backend.internal:8080' }, 403],
    ['refuses https if http is forwarded', { 'X-Forwarded-Proto': 'http' }, 403],
    ['refuses http if https is forwarded', { Origin: 'http://app.example' }, 403],
    ['uses a forwarded port', { Origin: 'https://app.example:8443', 'X-Forwarded-Host': 'app.example:8443' }, 101],
    ['refuses another port', { Origin: 'https://app.example:8443' }, 403],
    ['uses the first of several forwarded hosts', { 'X-Forwarded-Host': 'app.example, inner.example' }, 101]
  ])('with app.proxy, %s', async (_what, fields, status) => {
    expect(await statusOf(appOf({ proxy: true }), forwarded(fields))).toBe(status)
  })

  test('security: without app.proxy, spoofed X-Forwarded-* fields do not make a foreign page its own', async () => {
    expect(await statusOf(appOf({}), forwarded())).toBe(403)
    expect(await statusOf(appOf({}), forwarded({ Origin: 'http://backend.internal:8080' }))).toBe(101)
  })

  test('the log of a refused origin says how to trust the proxy', async () => {
    const app = new Koa()
    app.use(wsUpgrade())
    app.use((ctx) => ctx.acceptWebSocket(echo))
    expect(await statusOf(app, forwarded())).toBe(403)
    expect(takePrinted()).toEqual([expect.stringMatching(/app\.proxy = true/)])
  })

  test.each<[string, Settings, Record<string, string>, number]>([
    ['the first address of X-Forwarded-For', { proxy: true }, { 'X-Forwarded-For': '203.0.113.1, 10.0.0.1' }, 429],
    ['another address', { proxy: true }, { 'X-Forwarded-For': '203.0.113.2' }, 101],
    ['the field of proxyIpHeader', { proxy: true, proxyIpHeader: 'X-Real-IP' }, { 'X-Real-IP': '203.0.113.1' }, 429],
    [
      'the last address with maxIpsCount',
      { proxy: true, maxIpsCount: 1 },
      { 'X-Forwarded-For': '9.9.9.9, 203.0.113.1' },
      429
    ]
  ])('counts connections for %s', async (_what, settings, fields, status) => {
    const app = appOf(settings, { maxConnectionsPerAddress: 1 })
    const target = await serve(app)
    const first = { [settings.proxyIpHeader ?? 'X-Forwarded-For']: '203.0.113.1' }
    const raw = await openRaw(target)
    raw.write(handshake('/', first))
    await new Promise((resolve) => raw.once('data', resolve))
    const answer = await sendRaw(target, handshake('/', fields), headArrived)
    raw.destroy()
    expect(answer.status).toBe(status)
  })

  test('a client uses up its own share of the places for waiting handshakes, and another one gets in', async () => {
    const app = new Koa({ proxy: true })
    const raws: Socket[] = []
    let arrived = signal()
    app.use(wsUpgrade({ handshakeTimeoutMs: Infinity, maxPendingHandshakes: 8, onRefused: () => {} }))
    app.use((ctx) => {
      if (ctx.path === '/chat') return ctx.acceptWebSocket(echo)
      arrived.give()
      return new Promise(() => {})
    })
    const target = await serve(app)
    const ask = async (path: string, address: string): Promise<number> =>
      (await sendRaw(target, handshake(path, { 'X-Forwarded-For': address }), headArrived)).status
    for (const _turn of [1, 2]) {
      arrived = signal()
      const raw = await openRaw(target)
      raws.push(raw)
      raw.write(handshake('/slow', { 'X-Forwarded-For': '203.0.113.1' }))
      await arrived.given
    }
    expect(await ask('/slow', '203.0.113.1')).toBe(429)
    expect(await ask('/chat', '203.0.113.2')).toBe(101)
    for (const raw of raws) raw.destroy()
  })
})
