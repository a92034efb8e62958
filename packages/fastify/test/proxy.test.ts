import { handshake, headArrived, sendRaw } from '@oneport/adapter-testsuite'
import type { FastifyServerOptions } from 'fastify'
import { echo, makeApp, start } from './harness.ts'

/** The status of a handshake that a proxy passed on. */
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

describe('behind a proxy that is trusted', () => {
  const trusting: [string, FastifyServerOptions['trustProxy']][] = [
    ['true', true],
    ['an address', '127.0.0.1'],
    ['a list', ['10.0.0.0/8', '127.0.0.1']],
    ['a function', (address) => address === '127.0.0.1']
  ]

  test.each(trusting)('X-Forwarded-Host and -Proto say what the own origin is, with %s', async (_how, trustProxy) => {
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

  test('that forwards no scheme, either scheme will do: TLS may have ended there', async () => {
    const { 'X-Forwarded-Proto': _proto, ...silent } = forwarded
    expect(await statusOf(true, { ...silent, Origin: 'https://app.example' })).toBe(101)
    expect(await statusOf(true, { ...silent, Origin: 'http://app.example' })).toBe(101)
  })

  test('that keeps Host, Host decides', async () => {
    expect(await statusOf(true, { Host: 'app.example', Origin: 'https://app.example' })).toBe(101)
    expect(await statusOf(true, { Host: 'app.example', Origin: 'https://evil.example' })).toBe(403)
  })
})

describe('security: forged fields of a proxy change nothing', () => {
  const forged = { ...forwarded, 'X-Forwarded-Host': 'evil.example' }

  test.each<[string, FastifyServerOptions['trustProxy']]>([
    ['without trustProxy', undefined],
    ['where other addresses are trusted', '10.0.0.1'],
    ['where a function trusts nobody', () => false]
  ])('%s', async (_how, trustProxy) => {
    expect(await statusOf(trustProxy, { ...forged, Origin: 'https://evil.example' })).toBe(403)
    expect(await statusOf(trustProxy, { ...forged, Origin: 'http://backend:3000' })).toBe(101)
  })

  test('the scheme of a plain connection stays unknown', async () => {
    const plain = { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'http' }
    expect(await statusOf(undefined, { ...plain, Host: 'app.example', Origin: 'https://app.example' })).toBe(101)
  })
})
