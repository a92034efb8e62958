import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type AttachOptions, acceptWebSocket, attach } from '@oneport/core'
import { acceptWebSocket as acceptInRoute, wsUpgrade } from '@oneport/express'
import { certificate, chromium, describeWith, freePort, startChromium, takePrinted } from '@oneport/test-kit'
import { connect, expectRefused } from '@oneport/testing'
import express, { type ErrorRequestHandler, Router } from 'express'
import Fastify from 'fastify'
import type { Browser, Page } from 'playwright-core'
import { WebSocket as Client } from 'ws'
import { readPage, tableRows } from '../src/markdown.ts'

const page = readPage('docs/troubleshooting.md')
const welcome: RequestListener = (req, res) => acceptWebSocket(req, res, (socket) => socket.send('Welcome.'))
const answers =
  (status: number, fields = {}): RequestListener =>
  (_req, res) =>
    res.writeHead(status, fields).end()

jest.setTimeout(60_000)

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await once(server.close(), 'close')
  }
})

/** Serves a page at `/` with these header fields, and everything else through a listener. @returns the port */
async function serve(listener: RequestListener, { fields = {}, tls = false, options = {} as AttachOptions } = {}) {
  const whole: RequestListener = (req, res) =>
    req.url === '/' ? res.writeHead(200, { 'Content-Type': 'text/html', ...fields }).end('A page.') : listener(req, res)
  const server = tls ? createTlsServer(await certificate(), whole) : createServer(whole)
  attach(server, { onRefused: () => {}, onError: () => {}, ...options })
  servers.push(server)
  await once(server.listen(0), 'listening')
  return (server.address() as AddressInfo).port
}

/** Runs one line of code in a page. Errors appear in the console, as on any page. */
const run = (page: Page, code: string): Promise<void> =>
  page.evaluate((text) => {
    const script = document.createElement('script')
    script.textContent = text
    document.head.append(script)
  }, code)

describeWith(chromium, 'Chromium', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await startChromium(['--host-resolver-rules=MAP *.example 127.0.0.1'])
  })

  afterAll(() => browser?.close())

  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())))

  async function open(url: string): Promise<Page> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    await page.goto(url)
    return page
  }

  /** Waits until a page has logged a text to its console, or thrown an exception with it. */
  async function says(page: Page, text: string, code: string): Promise<void> {
    const inConsole = page.waitForEvent('console', (message) => message.text().includes(text))
    const thrown = page.waitForEvent('pageerror', (error) => error.message.includes(text))
    await Promise.all([Promise.any([inConsole, thrown]), run(page, code)])
  }

  const path = "new WebSocket('/chat')"
  const withStatus =
    (status: number, fields = {}) =>
    async () => {
      const port = await serve(answers(status, fields))
      return { url: `http://localhost:${port}`, code: path }
    }
  /** The page and the line of code that cause each message of the table. */
  const provoked: Record<string, () => Promise<{ url: string; code: string }>> = {
    'Unexpected response code: 200': withStatus(200),
    'Unexpected response code: 302': withStatus(302, { Location: '/login' }),
    'Unexpected response code: 400': withStatus(400),
    'HTTP Authentication failed; no valid credentials available': withStatus(401),
    'Unexpected response code: 403': async () => {
      const port = await serve(welcome)
      return { url: `http://localhost:${port}`, code: `new WebSocket('ws://127.0.0.1:${port}/chat')` }
    },
    'Unexpected response code: 404': withStatus(404),
    'Unexpected response code: 421': async () => {
      const port = await serve(welcome, { options: { allowedHosts: ['app.example'] } })
      return { url: `http://localhost:${port}`, code: path }
    },
    'Unexpected response code: 426': withStatus(426),
    'Unexpected response code: 429': withStatus(429),
    'Unexpected response code: 500': withStatus(500),
    'Unexpected response code: 503': withStatus(503),
    'net::ERR_CONNECTION_REFUSED': async () => {
      const port = await serve(welcome)
      return { url: `http://localhost:${port}`, code: `new WebSocket('ws://localhost:${await freePort()}/chat')` }
    },
    'net::ERR_SSL_PROTOCOL_ERROR': async () => {
      const port = await serve(welcome)
      return { url: `http://localhost:${port}`, code: `new WebSocket('wss://localhost:${port}/chat')` }
    },
    'Connection closed before receiving a handshake response': async () => {
      const port = await serve(welcome, { tls: true })
      return { url: `https://localhost:${port}`, code: `new WebSocket('ws://localhost:${port}/chat')` }
    },
    'An insecure WebSocket connection may not be initiated from a page loaded over HTTPS.': async () => {
      const port = await serve(welcome, { tls: true })
      return { url: `https://app.example:${port}`, code: `new WebSocket('ws://app.example:${port}/chat')` }
    },
    'violates the following Content Security Policy directive': async () => {
      const port = await serve(welcome, { fields: { 'Content-Security-Policy': "connect-src 'none'" } })
      return { url: `http://localhost:${port}`, code: path }
    },
    'WebSocket is closed before the connection is established.': async () => {
      const port = await serve(welcome)
      return { url: `http://localhost:${port}`, code: `${path}.close()` }
    },
    "Sent non-empty 'Sec-WebSocket-Protocol' header but no response was received": async () => {
      const port = await serve(welcome)
      return { url: `http://localhost:${port}`, code: "new WebSocket('/chat', 'chat.v2')" }
    },
    'Still in CONNECTING state.': async () => {
      const port = await serve(welcome)
      return { url: `http://localhost:${port}`, code: `${path}.send('hello')` }
    }
  }

  test('is made to log each message of the table', () => {
    const rows = tableRows('docs/troubleshooting.md')
    const begin = rows.findIndex(([head]) => head === 'Message') + 1
    const end = rows.findIndex(([head]) => head === 'It says')
    expect(rows.slice(begin, end).map(([message]) => message?.replaceAll('`', ''))).toEqual(Object.keys(provoked))
  })

  test.each(Object.keys(provoked))('logs "%s"', async (message) => {
    const { url, code } = await (provoked[message] as (typeof provoked)[string])()
    await says(await open(url), message, code)
  })

  /** Opens the WebSocket of a line of code. @returns its URL, and the type of its first message */
  const opened = (page: Page, code: string): Promise<string> =>
    page.evaluate(
      (text) =>
        new Promise((resolve, reject) => {
          const socket = new Function(`return ${text}`)() as WebSocket
          socket.onmessage = ({ data }) => resolve(`${socket.url} ${data.constructor.name}`)
          socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`))
        }),
      code
    )

  test.each(["connect-src 'self'", "default-src 'self'", "default-src 'self'; upgrade-insecure-requests"])(
    'ignores a policy %s on localhost',
    async (policy) => {
      const fields = { 'Content-Security-Policy': `${policy}; script-src 'unsafe-inline' 'unsafe-eval'` }
      const port = await serve(welcome, { fields })
      const page = await open(`http://localhost:${port}`)
      expect(await opened(page, path)).toBe(`ws://localhost:${port}/chat String`)
    }
  )

  test('changes ws:// to wss:// on other hosts because of upgrade-insecure-requests', async () => {
    const port = await serve(welcome, { fields: { 'Content-Security-Policy': 'upgrade-insecure-requests' } })
    const page = await open(`http://app.example:${port}`)
    await says(page, `wss://app.example:${port}/chat' failed`, `new WebSocket('ws://app.example:${port}/chat')`)
  })

  test.each([false, true])('accepts a path as the URL, with TLS: %p', async (tls) => {
    const port = await serve(welcome, { tls })
    const [http, ws] = tls ? ['https', 'wss'] : ['http', 'ws']
    const page = await open(`${http}://app.example:${port}`)
    const byHand = `new WebSocket(location.origin.replace('http', 'ws') + '/chat')`
    for (const code of [path, byHand]) {
      expect(await opened(page, code)).toBe(`${ws}://app.example:${port}/chat String`)
    }
  })

  test('gets a Blob when a Buffer is forwarded as it is', async () => {
    const port = await serve((req, res) =>
      acceptWebSocket(req, res, (socket) => {
        socket.on('message', (data, isBinary) => {
          if (String(data) === 'as text') socket.send(String(data))
          else if (String(data) === 'as it was') socket.send(data, { binary: isBinary })
          else socket.send(data)
        })
      })
    )
    const page = await open(`http://localhost:${port}`)
    const kind = async (text: string) => {
      const code = `Object.assign(${path}, { onopen: ({ target }) => target.send('${text}') })`
      return (await opened(page, code)).split(' ')[1]
    }
    expect(await kind('untouched')).toBe('Blob')
    expect(await kind('as text')).toBe('String')
    expect(await kind('as it was')).toBe('String')
  })

  describe('sends no cookie', () => {
    /** The cookie in a page's handshake, after another page of the server has set it. */
    async function cookieOf(cookie: string, from: (port: number) => { page: string; url: string }): Promise<string> {
      const port = await serve(
        (req, res) => acceptWebSocket(req, res, (socket) => socket.send(req.headers.cookie ?? 'none')),
        { fields: { 'Set-Cookie': cookie }, options: { allowedOrigins: 'any' } }
      )
      const { page, url } = from(port)
      const tab = await open(`http://app.example:${port}`)
      await tab.goto(page)
      return tab.evaluate(
        (url) =>
          new Promise<string>((resolve) => {
            new WebSocket(url).onmessage = ({ data }) => resolve(data)
          }),
        url
      )
    }
    const same = (port: number) => ({ page: `http://app.example:${port}`, url: `ws://app.example:${port}/chat` })

    test('except to where it belongs', async () => {
      expect(await cookieOf('login=ada', same)).toBe('login=ada')
    })

    test('to another host', async () => {
      const other = (port: number) => ({ ...same(port), url: `ws://127.0.0.1:${port}/chat` })
      expect(await cookieOf('login=ada', other)).toBe('none')
    })

    test.each(['', '; SameSite=Lax', '; SameSite=Strict'])(
      'from a page of another site, with "%s"',
      async (sameSite) => {
        const otherSite = (port: number) => ({ ...same(port), page: `http://other.example:${port}` })
        expect(await cookieOf(`login=ada${sameSite}`, otherSite)).not.toContain('ada')
      }
    )

    test('that is Secure, over http', async () => {
      expect(await cookieOf('login=ada; Secure', same)).toBe('none')
    })
  })
})

describe('a refusal', () => {
  test('behind a proxy with its own Host names that host in the log', async () => {
    const server = createServer(welcome)
    attach(server)
    const { status } = await expectRefused(server, '/chat', {
      headers: { Host: '127.0.0.1:3000' },
      origin: 'https://app.example'
    })
    expect(status).toBe(403)
    expect(page).toContain('`effective host "127.0.0.1:3000"`')
    expect(takePrinted().join()).toContain('effective host "127.0.0.1:3000"')
  })

  test('with 404 waits for another listener that does not answer', async () => {
    const server = createServer(answers(404))
    const attachment = attach(server, { handshakeTimeoutMs: Number.POSITIVE_INFINITY })
    server.on('upgrade', () => {})
    await once(server.listen(0), 'listening')
    const socket = new Client(`ws://localhost:${(server.address() as AddressInfo).port}/chat`)
    const [, res] = (await once(server, 'request')) as Parameters<RequestListener>
    expect([res.writableEnded, attachment.stats().pending]).toEqual([true, 1])
    socket.on('error', () => {}).terminate()
    await once(server.close(), 'close')
  })

  test('with 404 does not wait if `claims` says that the handshake is ours', async () => {
    const server = createServer(answers(404))
    attach(server, { handshakeTimeoutMs: Number.POSITIVE_INFINITY, claims: () => true })
    server.on('upgrade', () => {})
    expect((await expectRefused(server, '/chat')).status).toBe(404)
  })

  test('with 404 is sent at the deadline', async () => {
    const server = createServer(answers(404))
    attach(server, { handshakeTimeoutMs: 100 })
    server.on('upgrade', () => {})
    expect((await expectRefused(server, '/chat')).status).toBe(404)
  })

  test('by a fallback route in front of the endpoint is a page', async () => {
    const app = express().set('env', 'test')
    app.use(wsUpgrade())
    app.get('/{*path}', (_req, res) => res.send('A page.'))
    app.get('/chat', welcome)
    expect(await expectRefused(app, '/chat')).toMatchObject({ status: 200, body: 'A page.' })
  })

  test.each<[number, string, ErrorRequestHandler]>([
    [500, 'answers every error with 500', (_error, _req, res, _next) => res.status(500).json({})],
    [403, 'uses the status of the error', (error, _req, res, _next) => res.status(error.status ?? 500).json({})]
  ])('is a %d if error middleware %s', async (status, _what, middleware) => {
    expect(page).toContain('`res.status(500)`')
    expect(page).toContain('`res.status(error.status ?? 500)`')
    const app = express()
    app.use(wsUpgrade())
    app.get('/chat', (req, res) => acceptInRoute(req, res, () => {}))
    app.use(middleware)
    expect(await expectRefused(app, '/chat', { origin: 'https://evil.example' })).toMatchObject({ status })
    expect(takePrinted()).toEqual([expect.stringMatching(/^oneport: HANDSHAKE_ORIGIN/)])
  })

  test('by Fastify without the plugin names the mistake', async () => {
    const app = Fastify()
    app.get('/chat', (s) => (s as unknown as { on(event: string): void }).on('message'))
    const { body, status } = await expectRefused(app, '/chat')
    expect([status, JSON.parse(body).message]).toEqual([500, 's.on is not a function'])
    expect(page).toContain('`s.on is not a function`')
  })
})

describe('the body of a 503', () => {
  const said = tableRows('docs/troubleshooting.md')
  const texts = said
    .slice(
      said.findIndex(([head]) => head === 'It says') + 1,
      said.findIndex(([head]) => head === 'Code')
    )
    .map(([text = '']) => text)

  async function bodyOf(options: AttachOptions, before?: 'open' | 'wait' | 'drain'): Promise<string> {
    const server = createServer((req, res) => (req.url === '/stuck' ? undefined : welcome(req, res)))
    const attachment = attach(server, { onRefused: () => {}, ...options })
    await using _open = before === 'open' ? await connect(server, '/chat') : undefined
    const stuck = before === 'wait' ? expectRefused(server, '/stuck') : undefined
    if (stuck !== undefined) while (attachment.stats().pending === 0) await new Promise(setImmediate)
    if (before === 'drain') void attachment.drain()
    const { body, status } = await expectRefused(server, before === undefined ? '/stuck' : '/chat')
    expect(status).toBe(503)
    await stuck
    return body
  }

  test('matches the table', async () => {
    const app = express().set('env', 'test')
    app.use(Router().use(wsUpgrade()))
    app.get('/chat', (req, res) => acceptWebSocket(req, res, () => {}))
    const bodies = [
      await bodyOf({}, 'drain'),
      await bodyOf({ maxConnections: 1 }, 'open'),
      await bodyOf({ maxPendingHandshakes: 1, handshakeTimeoutMs: 500 }, 'wait'),
      await bodyOf({ handshakeTimeoutMs: 100 }),
      (await expectRefused(createServer(welcome), '/chat')).body
    ]
    takePrinted()
    expect(texts).toHaveLength(bodies.length)
    for (const [index, text] of texts.entries()) expect(bodies[index]).toContain(text)
  })
})

describe('the close code', () => {
  test.each<[code: number, message: string, options: AttachOptions]>([
    [1008, 'one too many', { messageBudget: { messages: 1, perMs: 60_000 } }],
    [1009, 'x'.repeat(1_048_577), {}],
    [1011, 'throw', {}]
  ])('%d has the meaning given on the page', async (code, message, options) => {
    expect(page).toContain(`| ${code} |`)
    const server = createServer((req, res) =>
      acceptWebSocket(req, res, (socket) => {
        socket.on('message', (data) => {
          if (String(data) === 'throw') throw new Error('broken')
        })
      })
    )
    attach(server, { onError: () => {}, ...options })
    const client = await connect(server, '/')
    client.send('hello')
    client.send(message)
    expect((await client.closed).code).toBe(code)
  })

  test('4401 is sent for an expired credential', async () => {
    const server = createServer((req, res) => acceptWebSocket(req, res, { expiresAt: Date.now() + 50 }, () => {}))
    attach(server)
    expect((await (await connect(server, '/')).closed).code).toBe(4401)
  })
})
