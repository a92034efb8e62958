import { once } from 'node:events'
import https from 'node:https'
import type { EffectiveRequest } from '@oneport/core'
import { certificate, handshake, headArrived, sendRaw } from '@oneport/test-kit'
import type { Express } from 'express'
import { acceptWebSocket, checkHandshake, wsUpgrade } from '../src/index.ts'
import { echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

const { serve, open } = useServers()

type Fields = Record<string, string>

/** What a proxy sends that terminates TLS for app.example and sets a Host of its own. */
const forwarded = (more: Fields = {}): Fields => ({
  Host: 'backend.internal:8080',
  'X-Forwarded-For': '203.0.113.7',
  'X-Forwarded-Host': 'app.example',
  'X-Forwarded-Proto': 'https',
  Origin: 'https://app.example',
  ...more
})

describe.each(versions)('same-origin in %s', (_name, express) => {
  function makeApp(trust: unknown): Express {
    const app = express()
    app.set('trust proxy', trust)
    app.use(wsUpgrade({ onRefused: () => {} }))
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    return app
  }

  const status = async (app: Express, fields: Fields, path = '/chat') =>
    (await sendRaw(await serve(app), handshake(path, fields), headArrived)).status

  describe('behind a trusted proxy', () => {
    test.each<[string, Fields, number]>([
      ['uses the forwarded host and scheme', {}, 101],
      ['refuses the Host that the proxy uses', { Origin: 'https://backend.internal:8080' }, 403],
      ['refuses another origin', { Origin: 'https://evil.example' }, 403],
      ['refuses https if http is forwarded', { 'X-Forwarded-Proto': 'http' }, 403],
      ['refuses http if https is forwarded', { Origin: 'http://app.example' }, 403],
      ['accepts http if http is forwarded', { Origin: 'http://app.example', 'X-Forwarded-Proto': 'http' }, 101],
      ['uses a forwarded port', { Origin: 'https://app.example:8443', 'X-Forwarded-Host': 'app.example:8443' }, 101],
      ['refuses another port', { Origin: 'https://app.example:8443' }, 403],
      [
        'uses the first of several forwarded hosts and schemes',
        {
          'X-Forwarded-Host': 'app.example, inner.example',
          'X-Forwarded-Proto': 'https, http'
        },
        101
      ],
      [
        'refuses the second of several forwarded hosts',
        {
          'X-Forwarded-Host': 'app.example, inner.example',
          Origin: 'https://inner.example'
        },
        403
      ]
    ])('%s', async (_what, fields, expected) => {
      expect(await status(makeApp('loopback'), forwarded(fields))).toBe(expected)
    })

    test.each([true, 1, '127.0.0.1', (address: string) => address === '127.0.0.1'])(
      "trusts it with 'trust proxy' %p",
      async (trust) => {
        expect(await status(makeApp(trust), forwarded())).toBe(101)
      }
    )

    test('uses the Host if the proxy left it as it was, with either scheme if none is forwarded', async () => {
      for (const scheme of ['http', 'https']) {
        expect(await status(makeApp(true), { Host: 'app.example', Origin: `${scheme}://app.example` })).toBe(101)
      }
      const fields = { Host: 'app.example', 'X-Forwarded-Proto': 'https', Origin: 'http://app.example' }
      expect(await status(makeApp(true), fields)).toBe(403)
    })

    test('trusts it in a sub-application and in routers too', async () => {
      const app = express()
      const sub = express()
      sub.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
      app.use(wsUpgrade({ onRefused: () => {} }))
      app.use('/sub', sub)
      app.set('trust proxy', 'loopback')
      expect(await status(app, forwarded(), '/sub/chat')).toBe(101)
      expect(await status(app, forwarded({ Origin: 'https://evil.example' }), '/sub/chat')).toBe(403)
    })

    test('passes the same values to a function for allowedOrigins and to checkHandshake', async () => {
      const seen: EffectiveRequest[] = []
      const app = express().set('trust proxy', true)
      const allowedOrigins = (_origin: string, effective: EffectiveRequest) => {
        seen.push(effective)
        return true
      }
      app.use(wsUpgrade({ allowedOrigins }))
      app.use((req, _res, next) => {
        checkHandshake(req)
        next()
      })
      app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
      expect(await status(app, forwarded())).toBe(101)
      const told = seen.map(({ host, scheme, address }) => ({ host, scheme, address }))
      expect(told).toEqual(Array(2).fill({ host: 'app.example', scheme: 'https', address: '203.0.113.7' }))
    })
  })

  describe.each<[string, unknown]>([
    ['no proxy', false],
    ['a proxy at another address', '192.0.2.1']
  ])('with trust in %s', (_what, trust) => {
    test('security: does not let spoofed X-Forwarded-* fields turn a foreign page into its own', async () => {
      const spoofed = {
        Host: 'app.example',
        'X-Forwarded-Host': 'evil.example',
        'X-Forwarded-Proto': 'https',
        Origin: 'https://evil.example'
      }
      expect(await status(makeApp(trust), spoofed)).toBe(403)
    })

    test('accepts its own page if X-Forwarded-* fields say something else', async () => {
      for (const scheme of ['http', 'https']) {
        const fields = {
          Host: 'app.example',
          'X-Forwarded-Host': 'evil.example',
          'X-Forwarded-Proto': scheme === 'http' ? 'https' : 'http',
          Origin: `${scheme}://app.example`
        }
        expect(await status(makeApp(trust), fields)).toBe(101)
      }
    })

    test('refuses what only the forwarded host would allow', async () => {
      expect(await status(makeApp(trust), forwarded())).toBe(403)
    })
  })

  test('compares the scheme on a TLS connection, whatever X-Forwarded-Proto says', async () => {
    const tls = await certificate()
    const statusOver = async (fields: Fields) => {
      const target = await serve(https.createServer(tls, makeApp(false)))
      return (await sendRaw(target, handshake('/chat', fields), headArrived)).status
    }
    expect(await statusOver({ Origin: 'https://app.example' })).toBe(101)
    expect(await statusOver({ Origin: 'https://app.example', 'X-Forwarded-Proto': 'http' })).toBe(101)
    expect(await statusOver({ Origin: 'http://app.example' })).toBe(403)
    expect(await statusOver({ Origin: 'http://app.example', 'X-Forwarded-Proto': 'http' })).toBe(403)
  })
})

describe.each(versions)('maxConnectionsPerAddress in %s', (_name, express) => {
  /** The statuses of handshakes in sequence, each with its `X-Forwarded-For`. Accepted ones stay open. */
  async function statuses(trust: unknown, forwardedFor: string[]): Promise<number[]> {
    const app = express()
    app.set('trust proxy', trust)
    app.use(wsUpgrade({ maxConnectionsPerAddress: 1, onRefused: () => {} }))
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    const target = await serve(app)
    const found: number[] = []
    for (const value of forwardedFor) {
      const raw = await open(target)
      const answer = once(raw, 'data')
      raw.write(handshake('/chat', { 'X-Forwarded-For': value }))
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
    expect(await statuses(1, values)).toEqual([101, 429, 101])
    expect(await statuses(true, values)).toEqual([101, 101, 429])
  })
})
