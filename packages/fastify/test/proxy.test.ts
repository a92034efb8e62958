import { once } from 'node:events'
import { handshake, headArrived, sendRaw } from '@oneport/test-kit'
import type { FastifyServerOptions } from 'fastify'
import { echo, makeApp, open, start } from './harness.ts'

/** The status of a handshake that was forwarded by a proxy. */
async function statusOf(trustProxy: FastifyServerOptions['trustProxy'], fields: Record<string, string>) {
  const app = await makeApp(trustProxy === undefined ? {} : { trustProxy }, { onRefused: () => {} })
  app.get('/echo', { websocket: true }, echo)
  return (await sendRaw(await start(app), handshake('/echo', { Host: 'backend:3000', ...fields }), headArrived)).status
}

const forwarded = {
  'X-Forwarded-For': '203.0.113.7',
  'X-Forwarded-Host': 'app.example',
  'X-Forwarded-Proto': 'https'
}

describe('behind a trusted proxy', () => {
  const trusting: [string, FastifyServerOptions['trustProxy']][] = [
    ['true', true],
    ['an address', '127.0.0.1'],
    ['a list', ['10.0.0.0/8', '127.0.0.1']],
    ['a function', (address) => address === '127.0.0.1']
  ]

  test.each(trusting)('X-Forwarded-Host and -Proto determine the own origin, with %s', async (_how, trustProxy) => {
    expect(await statusOf(trustProxy, { ...forwarded, Origin: 'https://app.example' })).toBe(101)
    expect(await statusOf(trustProxy, { ...forwarded, Origin: 'http://app.example' })).toBe(403)
    expect(await statusOf(trustProxy, { ...forwarded, Origin: 'https://backend:3000' })).toBe(403)
    expect(await statusOf(trustProxy, { ...forwarded, Origin: 'https://evil.example' })).toBe(403)
  })

  test('a port in X-Forwarded-Host is compared', async () => {
    const withPort = { ...forwarded, 'X-Forwarded-Host': 'app.example:8443' }
    expect(await statusOf(true, { ...withPort, Origin: 'https://app.example:8443' })).toBe(101)
    expect(await statusOf(true, { ...withPort, Origin: 'https://app.example' })).toBe(403)
  })

  test('X-Forwarded-Proto: http means a plain page', async () => {
    const plain = { ...forwarded, 'X-Forwarded-Proto': 'http' }
    expect(await statusOf(true, { ...plain, Origin: 'http://app.example' })).toBe(101)
    expect(await statusOf(true, { ...plain, Origin: 'https://app.example' })).toBe(403)
  })

  // https://github.com/traefik/traefik/blob/master/pkg/middlewares/forwardedheaders/forwarded_header.go
  test('X-Forwarded-Proto: wss means https and ws means http, as Traefik writes it', async () => {
    const secure = { ...forwarded, 'X-Forwarded-Proto': 'wss' }
    expect(await statusOf(true, { ...secure, Origin: 'https://app.example' })).toBe(101)
    expect(await statusOf(true, { ...secure, Origin: 'http://app.example' })).toBe(403)
    const plain = { ...forwarded, 'X-Forwarded-Proto': 'ws' }
    expect(await statusOf(true, { ...plain, Origin: 'http://app.example' })).toBe(101)
  })

  test('that forwards no scheme, either scheme is accepted, since TLS may have ended there', async () => {
    const { 'X-Forwarded-Proto': _proto, ...silent } = forwarded
    expect(await statusOf(true, { ...silent, Origin: 'https://app.example' })).toBe(101)
    expect(await statusOf(true, { ...silent, Origin: 'http://app.example' })).toBe(101)
  })

  test('that keeps Host, Host decides', async () => {
    expect(await statusOf(true, { Host: 'app.example', Origin: 'https://app.example' })).toBe(101)
    expect(await statusOf(true, { Host: 'app.example', Origin: 'https://evil.example' })).toBe(403)
  })
})

describe('security: forged proxy fields change nothing', () => {
  const forged = { ...forwarded, 'X-Forwarded-Host': 'evil.example' }

  test.each<[string, FastifyServerOptions['trustProxy']]>([
    ['without trustProxy', undefined],
    ['if other addresses are trusted', '10.0.0.1'],
    ['if a function trusts no address', () => false]
  ])('%s', async (_how, trustProxy) => {
    expect(await statusOf(trustProxy, { ...forged, Origin: 'https://evil.example' })).toBe(403)
    expect(await statusOf(trustProxy, { ...forged, Origin: 'http://backend:3000' })).toBe(101)
  })

  test('the scheme of a plain connection stays unknown', async () => {
    const plain = { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'http' }
    expect(await statusOf(undefined, { ...plain, Host: 'app.example', Origin: 'https://app.example' })).toBe(101)
  })
})

describe('maxConnectionsPerAddress', () => {
  /** The statuses of handshakes in sequence, each with its `X-Forwarded-For`. Accepted ones stay open. */
  async function statuses(trustProxy: FastifyServerOptions['trustProxy'], forwardedFor: string[]): Promise<number[]> {
    const app = await makeApp({ trustProxy } as FastifyServerOptions, {
      maxConnectionsPerAddress: 1,
      onRefused: () => {}
    })
    app.get('/echo', { websocket: true }, echo)
    const target = await start(app)
    const found: number[] = []
    for (const value of forwardedFor) {
      const raw = await open(target)
      const answer = once(raw, 'data')
      raw.write(handshake('/echo', { 'X-Forwarded-For': value, 'X-Forwarded-Proto': 'https' }))
      found.push(Number(String((await answer)[0]).split(' ')[1]))
    }
    return found
  }

  test.each([
    ['IPv4 with a port', ['203.0.113.7:4711', '203.0.113.7:4712', '203.0.113.7', '203.0.113.8:4711']],
    ['IPv6 in brackets with a port', ['[2001:db8::1]:4711', '[2001:db8::2]:4712', '2001:db8::3', '[2001:db8:0:1::1]']]
  ])('regression: %s counts as its address', async (_what, values) => {
    expect(await statuses('loopback', values)).toEqual([101, 429, 429, 101])
  })

  test('regression: nonsense counts as one unknown address, not as a 500', async () => {
    const nonsense = ['unknown', '1:2:3:4:5:6:7:8:9:10::', '\x9b31m', ':'.repeat(4_096), '::1::2', '203.0.113.7']
    expect(await statuses('loopback', nonsense)).toEqual([101, 429, 429, 429, 429, 101])
  })

  test('regression: a trust function that throws leaves the address unknown', async () => {
    const trust = (address: string) => new URL(`http://${address}`).hostname === '127.0.0.1'
    expect(await statuses(trust, ['not an address', 'another one', '203.0.113.7'])).toEqual([101, 429, 101])
  })

  test('uses the last untrusted address, or the first one if all are trusted', async () => {
    const values = ['192.0.2.1, 203.0.113.7', '192.0.2.2, 203.0.113.7', '192.0.2.2, 203.0.113.8']
    expect(await statuses('loopback', values)).toEqual([101, 429, 101])
    expect(await statuses(true, values)).toEqual([101, 101, 429])
  })
})
