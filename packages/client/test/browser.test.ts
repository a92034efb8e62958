import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, describeWith, startChromium } from '@oneport/test-kit'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { openSite, type Site } from './site.ts'

// Starting a browser takes long on a busy machine.
jest.setTimeout(60_000)

const script = readFileSync(join(__dirname, '../dist/oneport.min.js'), 'utf8')
const html = `<!doctype html><link rel="icon" href="data:,">
<script src="/oneport.min.js"></script>
<script>
  const log = []
  function open(options) {
    window.socket = new oneport.ReconnectingWebSocket('ws://' + location.host + '/socket', [], {
      minDelayMs: 3_600_000, maxDelayMs: 3_600_000, ...options
    })
    socket.onstatechange = ({ state }) => log.push(state)
    socket.onclose = ({ code }) => log.push('close ' + code + ' ' + socket.readyState)
    socket.onmessage = ({ data }) => log.push(data)
  }
</script>`

const servePage: NonNullable<Site['page']> = (req, res) => {
  const isScript = req.url === '/oneport.min.js'
  res.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html').end(isScript ? script : html)
}

describeWith(chromium, 'in a page', () => {
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let site: Site

  beforeAll(async () => {
    browser = await startChromium()
  })
  afterAll(() => browser?.close())

  beforeEach(async () => {
    site = await openSite()
    site.page = servePage
    context = await browser.newContext()
    page = await context.newPage()
    await page.goto(`http://127.0.0.1:${site.port}/`)
  })
  afterEach(() => context?.close())

  const connect = async (options: object = {}) => {
    const connection = site.connection()
    await page.evaluate(`open(${JSON.stringify(options)})`)
    const socket = await connection
    await logged('open')
    return socket
  }

  const logged = (entry: string) =>
    page.waitForFunction(`log.includes(${JSON.stringify(entry)})`, undefined, { polling: 10 })

  const evaluate = (expression: string): Promise<unknown> => page.evaluate(expression)

  test('the minified file has the global `oneport`', async () => {
    const socket = await connect()
    socket.send('hello')
    await logged('hello')
    expect(await evaluate('[Object.keys(oneport), socket instanceof EventTarget]')).toEqual([
      expect.arrayContaining(['ReconnectingWebSocket']),
      true
    ])
  })

  test('`online` connects at once', async () => {
    const socket = await connect()
    socket.terminate()
    await logged('waiting')
    const connection = site.connection()
    await evaluate("dispatchEvent(new Event('online'))")
    await connection
  })

  test('attempts that fail while there is no network do not count', async () => {
    const socket = await connect({ minDelayMs: 1, maxDelayMs: 20, maxRetries: 1 })
    await context.setOffline(true)
    expect(await evaluate('navigator.onLine')).toBe(false)
    await site.stop()
    socket.terminate()
    await logged('waiting')
    await page.waitForFunction("log.filter((state) => state === 'connecting').length > 2", undefined, { polling: 10 })
    expect(await evaluate('socket.attempt')).toBe(0)
    const connection = site.connection()
    await site.start()
    await context.setOffline(false)
    await connection
  })

  test('the last attempt does not count either while there is no network', async () => {
    const socket = await connect({ maxRetries: 1 })
    await site.stop()
    socket.terminate()
    await logged('waiting')
    await context.setOffline(true)
    await evaluate("log.length = 0, document.dispatchEvent(new Event('resume'))")
    await logged('waiting')
    expect(await evaluate('[socket.attempt, socket.state]')).toEqual([1, 'waiting'])
  })

  test('a page that is looked at again connects at once', async () => {
    const socket = await connect()
    socket.terminate()
    await logged('waiting')
    await evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    await evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(await evaluate('socket.state')).toBe('waiting')
    const connection = site.connection()
    await evaluate("Object.defineProperty(document, 'hidden', { value: false })")
    await evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await connection
  })

  test.each(["document.dispatchEvent(new Event('resume'))", "dispatchEvent(new Event('online'))"])(
    'a connection is checked after %s',
    async (expression) => {
      const socket = await connect({ heartbeat: { intervalMs: 60_000, timeoutMs: 50, ping: 'ping' } })
      const ping = new Promise((resolve) => socket.once('message', (data) => resolve(String(data))))
      await evaluate(expression)
      expect(await ping).toBe('ping')
      await logged('close 1006 0')
    }
  )

  test('regression: a message that has waited was taken for the answer to a ping after `online`', async () => {
    const socket = await connect({ heartbeat: { intervalMs: 60_000, timeoutMs: 50, ping: 'ping' } })
    socket.on('message', (data) => String(data) === 'now' && socket.send('late'))
    // The message arrives while the page is busy.
    await evaluate(`
      socket.send('now')
      for (const end = Date.now() + 300; Date.now() < end; );
      dispatchEvent(new Event('online'))
    `)
    await logged('late')
    await logged('close 1006 0')
  })

  test('nothing is listened to after the end', async () => {
    await evaluate(`
      window.signals = []
      for (const target of [window, document]) {
        const add = target.addEventListener
        target.addEventListener = (...args) => {
          if (args[2]?.signal) signals.push(args[2].signal)
          add.apply(target, args)
        }
      }
    `)
    await connect()
    expect(await evaluate('signals.map(({ aborted }) => aborted)')).toEqual([false, false, false, false, false])
    await evaluate('socket.close()')
    await logged('close 1005 3')
    expect(await evaluate('signals.map(({ aborted }) => aborted)')).toEqual([true, true, true, true, true])
  })

  test('it listens again after reconnect()', async () => {
    await connect()
    await evaluate('socket.close()')
    await logged('close 1005 3')
    const second = site.connection()
    await evaluate('log.length = 0, socket.reconnect()')
    await logged('open')
    ;(await second).terminate()
    await logged('waiting')
    const third = site.connection()
    await evaluate("dispatchEvent(new Event('online'))")
    await third
  })

  test('a refused handshake stops, as seen by fetch()', async () => {
    site.answer = (_req, res) => res.writeHead(403).end()
    await evaluate('open()')
    await logged('close 1006 3')
    expect(await evaluate('socket.error.message')).toBe('Refused: 403')
  })

  test('a refused handshake of another origin says nothing without CORS', async () => {
    site.answer = (_req, res) => res.writeHead(403).end()
    await page.evaluate(
      `socket = new oneport.ReconnectingWebSocket('ws://localhost:${site.port}/socket', [], { minDelayMs: 1 })`
    )
    await page.waitForFunction('socket.attempt > 1', undefined, { polling: 10 })
  })

  test('the token is sent over HTTP to the own origin, and not to others', async () => {
    site.answer = (_req, res) => res.writeHead(401).end()
    const token = "token: 'secret', minDelayMs: 1"
    await evaluate(
      `socket = new oneport.ReconnectingWebSocket('ws://127.0.0.1:${site.port}/socket', 'v1', { ${token} })`
    )
    await page.waitForFunction("socket.state === 'closed'", undefined, { polling: 10 })
    expect(site.requests.at(-1)?.headers.authorization).toBe('Bearer secret')
    const before = site.requests.length
    await evaluate(
      `socket = new oneport.ReconnectingWebSocket('ws://localhost:${site.port}/socket', 'v1', { ${token} })`
    )
    await page.waitForFunction('socket.attempt > 1', undefined, { polling: 10 })
    expect(site.requests).toHaveLength(before)
    await evaluate('socket.close()')
  })
})

describeWith(chromium, 'a page that is left', () => {
  test('is kept, and connects when someone returns to it', async () => {
    const site = await openSite()
    site.page = servePage
    // Playwright turns this off, and loses sight of pages that are kept: the page tells the server what happened.
    const browser = await startChromium([], ['--disable-back-forward-cache'])
    try {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${site.port}/`)
      const connection = site.connection()
      await page.evaluate('open()')
      const socket = await connection
      await page.evaluate(`
        addEventListener('pageshow', ({ persisted }) => log.push('persisted ' + persisted))
        socket.onopen = () => socket.send(JSON.stringify(log))
      `)
      const left = once(socket, 'close')
      await page.goto(`http://127.0.0.1:${site.port}/other`)
      await left
      const again = site.connection()
      await page.evaluate('void setTimeout(() => history.back())')
      const [log] = await once(await again, 'message')
      expect(JSON.parse(String(log))).toEqual([
        ...['open', 'waiting', 'close 1006 0', 'connecting', 'persisted true', 'open']
      ])
    } finally {
      await browser.close()
    }
  })
})
