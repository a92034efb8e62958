import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applications } from './application.ts'
import { lookFor } from './installed.ts'
import { caddy, haproxy, nginx } from './kinds.ts'
import { variantOf } from './proxy.ts'
import { startApp, startProxy } from './stage.ts'
import { echoes, get, hostAt, originAt, statusOf, visit, welcome } from './visitor.ts'

// Starting a proxy takes long on a busy machine.
jest.setTimeout(30_000)

const ways = ['plain', 'tls'] as const

const forged = {
  Forwarded: 'for=192.0.2.66;host=evil.example;proto=https',
  'X-Forwarded-For': '192.0.2.66',
  'X-Forwarded-Host': 'evil.example',
  'X-Forwarded-Proto': 'https'
}

describe.each([nginx, haproxy, caddy])('$name', (kind) => {
  const { hint, isInstalled } = lookFor(kind.program, kind.program)
  const describeEach = isInstalled ? describe.each : describe.skip.each

  describeEach(applications)(`in front of %s${hint}`, (_framework, start) => {
    test.each(ways)('forwards WebSockets and ordinary requests on one port, %s', async (way) => {
      const { [way]: target } = await startProxy(kind, (await startApp(start)).port)
      const client = await visit(target, '/chat?room=1')
      expect(await welcome(client)).toMatchObject({ url: '/chat?room=1' })
      expect(await echoes(client, 'hello')).toBe(true)
      expect(await echoes(client, 'x'.repeat(300_000))).toBe(true)
      expect(await get(target, '/')).toBe('200 A page.')
      expect(await get(target, '/members')).toBe('401 Log in first.')
      expect(await statusOf(target, '/members')).toBe(401)
    })

    test.each(ways)('allows pages of its own origin and no others, %s', async (way) => {
      const app = await startApp(start)
      const { [way]: target } = await startProxy(kind, app.port)
      const own = originAt(target)
      const [scheme, other] = target.tls ? ['https', 'http'] : ['http', 'https']
      expect(await statusOf(target, '/chat', { origin: own })).toBe(101)
      for (const origin of [own.replace(scheme, other), `${scheme}://app.example:1`, 'https://evil.example']) {
        expect([origin, await statusOf(target, '/chat', { origin })]).toEqual([origin, 403])
      }
      expect(app.refusals[0]).toContain(`effective host "${hostAt(target)}", scheme ${scheme},`)
    })

    test.each(ways)("passes on the client's address, %s", async (way) => {
      const { [way]: target } = await startProxy(kind, (await startApp(start)).port)
      expect(await welcome(await visit(target, '/chat', { from: '127.0.0.2' }))).toMatchObject({ address: '127.0.0.2' })
    })

    test('has the connections counted per client', async () => {
      const app = await startApp(start, { options: { maxConnectionsPerAddress: 1 } })
      const { plain } = await startProxy(kind, app.port)
      expect(await statusOf(plain, '/chat', { from: '127.0.0.2' })).toBe(101)
      expect(await statusOf(plain, '/chat', { from: '127.0.0.2' })).toBe(429)
      expect(await statusOf(plain, '/chat', { from: '127.0.0.2', fields: forged })).toBe(429)
      expect(await statusOf(plain, '/chat', { from: '127.0.0.3' })).toBe(101)
    })

    test.each(ways)('security: replaces forged fields, %s', async (way) => {
      const { [way]: target } = await startProxy(kind, (await startApp(start)).port)
      for (const scheme of ['http', 'https']) {
        const fields = { ...forged, 'X-Forwarded-Proto': scheme }
        expect(await statusOf(target, '/chat', { origin: `${scheme}://evil.example`, fields })).toBe(403)
        const client = await visit(target, '/chat', { origin: originAt(target), from: '127.0.0.2', fields })
        const forwarded = ['127.0.0.2', hostAt(target), target.tls ? 'https' : 'http']
        expect(await welcome(client)).toMatchObject({ address: '127.0.0.2', forwarded })
      }
    })

    test('security: is believed only by an application that trusts it', async () => {
      const { plain } = await startProxy(kind, (await startApp(start, { trust: false })).port)
      const client = { from: '127.0.0.2', fields: forged }
      expect(await welcome(await visit(plain, '/chat', client))).toMatchObject({ address: '127.0.0.1' })
      // The scheme is unknown, because TLS may have ended at the proxy.
      for (const scheme of ['http', 'https']) {
        expect(await statusOf(plain, '/chat', { ...client, origin: `${scheme}://${hostAt(plain)}` })).toBe(101)
      }
      expect(await statusOf(plain, '/chat', { ...client, origin: 'https://evil.example' })).toBe(403)
    })

    test('strips a prefix from the path, as the page says', async () => {
      const { tls } = await startProxy(kind, (await startApp(start)).port, variantOf(kind, kind.everyPath))
      const client = await visit(tls, '/ws/chat?room=1', { origin: originAt(tls) })
      expect(await welcome(client)).toMatchObject({ url: '/chat?room=1' })
      expect(await echoes(client, 'hello')).toBe(true)
    })

    test('reaches the application over a Unix socket, as the page says', async () => {
      const path = join(tmpdir(), `oneport-app-${process.pid}.sock`)
      // A Unix socket has no address to trust.
      const trust = (_address: string | undefined, hop: number) => hop === 0
      await startApp(start, { path, trust, options: { maxConnectionsPerAddress: 1 } })
      const { tls } = await startProxy(kind, path, variantOf(kind, kind.upstream))
      const client = await visit(tls, '/chat', { origin: originAt(tls), from: '127.0.0.2', fields: forged })
      expect(await welcome(client)).toMatchObject({ address: '127.0.0.2', url: '/chat' })
      expect(await echoes(client, 'hello')).toBe(true)
      expect(await statusOf(tls, '/chat', { from: '127.0.0.2' })).toBe(429)
      expect(await statusOf(tls, '/chat', { from: '127.0.0.3', origin: 'https://evil.example' })).toBe(403)
    })
  })
})

describe.each(applications)('%s without a proxy', (_framework, start) => {
  test('security: does not believe a client that poses as one', async () => {
    const app = await startApp(start)
    const client = { from: '127.0.0.2', fields: forged }
    expect(await statusOf(app, '/chat', { ...client, origin: 'https://evil.example' })).toBe(403)
    expect(await statusOf(app, '/chat', { ...client, origin: originAt(app) })).toBe(101)
    expect(await welcome(await visit(app, '/chat', client))).toMatchObject({ address: '127.0.0.2' })
  })
})
