import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { handshake, headArrived, sendRaw } from '@oneport/test-kit'
import { acceptWebSocket, attach, type HandshakeError } from '../../src/index.ts'
import { type AllowedHosts, compileHosts } from '../../src/rules/host.ts'

const allows = (allowed: AllowedHosts, host: string | undefined): boolean => compileHosts(allowed).allows(host)

describe('allowedHosts', () => {
  test.each<[allowed: AllowedHosts, host: string]>([
    ['any', 'evil.example'],
    [['app.example'], 'app.example'],
    [['app.example'], 'app.example:8443'],
    [['app.example'], 'APP.example:'],
    [['App.Example'], 'app.example'],
    [['localhost', 'app.example'], 'app.example'],
    [['my_app.internal'], 'my_app.internal'],
    [['bücher.example'], 'xn--bcher-kva.example:3000'],
    [['127.0.0.1'], '127.0.0.1:3000'],
    [['[::1]'], '[::1]:3000'],
    [['[::1]'], '[::1]'],
    [['[0:0:0:0:0:0:0:1]'], '[::1]'],
    [['*.app.example'], 'a.app.example'],
    [['*.app.example'], 'a.b.app.example:80']
  ])('%j takes %s', (allowed, host) => {
    expect(allows(allowed, host)).toBe(true)
  })

  test.each<[allowed: AllowedHosts, host: string | undefined]>([
    [['app.example'], undefined],
    [['app.example'], ''],
    [['app.example'], 'evil.example'],
    [['app.example'], 'app.example.evil.example'],
    [['app.example'], 'evil-app.example'],
    [['app.example'], 'a.app.example'],
    [['app.example'], 'app.example:3000:80'],
    [['app.example'], 'app.example:x'],
    [['app.example'], ':app.example'],
    [['127.0.0.1'], '127.0.0.1.evil.example'],
    [['[::1]'], '[::2]'],
    [['[::1]'], '::1'],
    [['*.app.example'], 'app.example'],
    [['*.app.example'], '.app.example'],
    [['*.app.example'], 'evil-app.example'],
    [['*.app.example'], 'a.app.example.evil.example'],
    [[], 'app.example']
  ])('security: %j does not take %s', (allowed, host) => {
    expect(allows(allowed, host)).toBe(false)
  })

  test.each([
    'app.example',
    '*',
    undefined,
    null,
    () => true,
    ['http://app.example'],
    ['app.example:3000'],
    ['app.example/'],
    ['app.*'],
    ['*'],
    ['*.'],
    ['a.*.app.example'],
    ['::1'],
    ['[::g]'],
    ['app example'],
    [''],
    [undefined],
    [/app/]
  ])('%p is no list of host names', (allowed) => {
    expect(() => compileHosts(allowed as never)).toThrow(/^allowedHosts: expected .+; got /)
  })

  test.each([
    ['*', "'any'"],
    [['*'], "'any'"],
    ['app.example', "['app.example']"],
    [['http://app.example:3000/chat'], "'app.example'"],
    [['localhost:3000'], "'localhost'"],
    [['https://*.app.example'], "'*.app.example'"]
  ])('%p was meant to be %s', (allowed, meant) => {
    expect(() => compileHosts(allowed as never)).toThrow(`; did you mean ${meant}?`)
  })
})

describe('a handshake for a host that is not allowed', () => {
  const refusals: HandshakeError[] = []
  const server = createServer((req, res) => acceptWebSocket(req, res, (socket) => socket.close()))
  attach(server, {
    allowedHosts: ['app.example'],
    effectiveRequest: ({ headers }) => ({ host: String(headers['x-forwarded-host'] ?? headers.host) }),
    onRefused: (error) => refusals.push(error)
  })
  const target = () => ({ port: (server.address() as AddressInfo).port })
  const statusOf = async (fields: Record<string, string>) =>
    (await sendRaw(target(), handshake('/', fields), headArrived)).status

  beforeAll((done) => void server.listen(0, '127.0.0.1', done))
  afterEach(() => refusals.splice(0))
  afterAll((done) => void server.close(done))

  test('security: gets 421, though its origin is the same', async () => {
    const bytes = handshake('/', { Host: 'evil.example', Origin: 'http://evil.example' })
    const { status, rest } = await sendRaw(target(), bytes)
    expect([status, rest]).toEqual([421, 'This server does not answer for the host "evil.example".\n'])
    expect(refusals).toMatchObject([
      { code: 'HANDSHAKE_HOST', detail: `effective host "evil.example", allowed: 'app.example'` }
    ])
  })

  test('security: gets 421 from clients that send no origin', async () => {
    expect(await statusOf({ Host: 'evil.example' })).toBe(421)
  })

  test('is judged by the host that a trusted proxy forwards', async () => {
    expect(await statusOf({ Host: 'upstream', 'X-Forwarded-Host': 'app.example' })).toBe(101)
    expect(await statusOf({ Host: 'app.example', 'X-Forwarded-Host': 'evil.example' })).toBe(421)
  })

  test('leaves the origin to its own rule', async () => {
    expect(await statusOf({ Host: 'app.example', Origin: 'http://evil.example' })).toBe(403)
    expect(await statusOf({ Host: 'app.example', Origin: 'http://app.example' })).toBe(101)
  })
})
