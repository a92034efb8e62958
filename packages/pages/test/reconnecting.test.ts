import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Attachment, acceptWebSocket, attach, type WebSocket } from '@oneport/core'
import { chromium, describeWith } from '@oneport/test-kit'
import type { Page } from 'playwright-core'
import { root } from '../src/markdown.ts'
import { expectComplaints, openPage } from './stage.ts'

const script = readFileSync(join(root, 'examples', 'chat', 'public', 'reconnecting.js'), 'utf8')
const html = `<!doctype html><link rel="icon" href="data:,">
<script type="module">
  import { connect } from '/reconnecting.js'
  window.log = []
  window.connect = () => {
    window.connection = connect('/chat', {
      onMessage: (data) => log.push('message ' + data),
      onState: (state) => log.push(state)
    })
  }
</script>`

/** What `/chat` does with the next handshakes; 101 is a connection. */
let answer: number
let attempts: number
let sockets: WebSocket[]
let server: Server
let attachment: Attachment

beforeEach((done) => {
  expectComplaints(/WebSocket connection|status of (?:401|403|503)/)
  answer = 101
  attempts = 0
  sockets = []
  server = createServer((req, res) => {
    if (req.url === '/') res.setHeader('Content-Type', 'text/html').end(html)
    else if (req.url === '/reconnecting.js') res.setHeader('Content-Type', 'text/javascript').end(script)
    else {
      if (req.headers.upgrade !== undefined) attempts++
      if (answer !== 101) res.writeHead(answer).end()
      else void acceptWebSocket(req, res, (socket) => sockets.push(socket) && socket.send(`hello ${sockets.length}`))
    }
  })
  attachment = attach(server)
  server.listen(0, '127.0.0.1', done)
})
afterEach((done) => {
  attachment.detach()
  server.closeAllConnections()
  server.close(done)
})

/** A page whose clock only goes on when it is told to, and whose random part is all of each delay. */
async function open(): Promise<Page> {
  const page = await openPage(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await page.clock.install({ time: 0 })
  await page.clock.pauseAt(1_000)
  await page.evaluate(() => {
    Math.random = () => 1
  })
  await page.evaluate('connect()')
  return page
}

/** Waits until the page has logged something so many times. */
const logged = (page: Page, entry: string, times = 1): Promise<unknown> =>
  page.waitForFunction(`log.filter((one) => one === ${JSON.stringify(entry)}).length >= ${times}`, undefined, {
    polling: 20
  })

const stateOf = (page: Page): Promise<unknown> => page.evaluate('log.at(-1)')

describeWith(chromium, 'a page that reconnects', () => {
  test('comes back after a delay that doubles, up to 30 s', async () => {
    const page = await open()
    await logged(page, 'message hello 1')
    answer = 503
    sockets[0]?.terminate()
    const delays = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    for (const [index, delay] of delays.entries()) {
      await logged(page, 'waiting', index + 1)
      expect(attempts).toBe(index + 1)
      await page.clock.runFor(delay - 1)
      expect(await stateOf(page)).toBe('waiting')
      if (index === delays.length - 1) answer = 101
      await page.clock.runFor(1)
      // The next attempt.
      await logged(page, 'connecting', index + 2)
    }
    await logged(page, 'message hello 2')
    expect(await page.evaluate('connection.send("here")')).toBe(true)
  })

  test('begins with the shortest delay again after a connection that lasted, and only then', async () => {
    const page = await open()
    const delayIs = async (times: number, ms: number): Promise<void> => {
      await logged(page, 'waiting', times)
      await page.clock.runFor(ms - 1)
      expect(await stateOf(page)).toBe('waiting')
      await page.clock.runFor(1)
      await logged(page, 'open', times + 1)
    }
    await logged(page, 'open')
    sockets[0]?.terminate()
    await delayIs(1, 500)
    await page.clock.runFor(4_999)
    sockets[1]?.terminate()
    await delayIs(2, 1_000)
    await page.clock.runFor(5_000)
    sockets[2]?.terminate()
    await delayIs(3, 500)
  })

  test.each(['online', 'visibilitychange'])('connects at once on %s', async (event) => {
    const page = await open()
    await logged(page, 'open')
    sockets[0]?.terminate()
    await logged(page, 'waiting')
    await page.evaluate(`(${event === 'online' ? 'window' : 'document'}).dispatchEvent(new Event('${event}'))`)
    await logged(page, 'open', 2)
  })

  test.each([1000, 4400, 4401, 4403, 4499])('stops on %d', async (code) => {
    const page = await open()
    await logged(page, 'open')
    sockets[0]?.close(code)
    await logged(page, 'closed')
    await page.clock.runFor(3_600_000)
    await page.evaluate(`window.dispatchEvent(new Event('online'))`)
    expect([await stateOf(page), attempts]).toEqual(['closed', 1])
    expect(await page.evaluate('connection.send("gone")')).toBe(false)
  })

  test.each([1001, 1011, 1012, 1013, 4399, 4500])('goes on after %d', async (code) => {
    const page = await open()
    await logged(page, 'open')
    sockets[0]?.close(code)
    await logged(page, 'waiting')
    expect(await page.evaluate('connection.send("away")')).toBe(false)
    await page.clock.runFor(500)
    await logged(page, 'open', 2)
  })

  test.each([401, 403])('stops where a handshake is refused with %d', async (status) => {
    answer = status
    const page = await open()
    await logged(page, 'closed')
    await page.clock.runFor(3_600_000)
    expect([await stateOf(page), attempts]).toEqual(['closed', 1])
  })

  test('stops when the page says so, also while it waits or connects', async () => {
    const page = await open()
    await logged(page, 'open')
    await page.evaluate('connection.close()')
    expect(await stateOf(page)).toBe('closed')
    await page.evaluate('connect()')
    await logged(page, 'open', 2)
    sockets[1]?.terminate()
    await logged(page, 'waiting')
    await page.evaluate('connection.close()')
    await page.clock.runFor(3_600_000)
    answer = 503
    await page.evaluate('connect(); connection.close()')
    await page.clock.runFor(3_600_000)
    expect(await page.evaluate('log.filter((one) => one === "open").length')).toBe(2)
    expect(await stateOf(page)).toBe('closed')
  })
})
