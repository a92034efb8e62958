import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, browsers, describeWith, freePort } from '@oneport/test-kit'
import { run, write } from '../stage.ts'

/** A name that is not localhost, of which Chromium and Firefox make an exception. */
const name = 'app.example'

/** The first message; or what else happens to the WebSocket, as the page sees it. */
const visit = (url: string): string => `new Promise((resolve) => {
  try {
    const socket = new WebSocket(${JSON.stringify(url)})
    socket.onmessage = ({ data }) => resolve(data)
    socket.onerror = () => {
      // Where a close follows, it does at once.
      socket.onclose = ({ code }) => resolve(code)
      setTimeout(() => resolve('error'), 500)
    }
  } catch {
    resolve('it throws')
  }
})`

type Page = readonly [host: string, mode: 'production' | 'development', expected: unknown]

/** What pages see on a name that is not localhost, if its WebSockets become `wss:`. */
const named = (upgraded: number): readonly Page[] => [
  ['localhost', 'production', 'Welcome.'],
  ['127.0.0.1', 'production', 'Welcome.'],
  [name, 'production', upgraded],
  [name, 'development', 'Welcome.']
]
const local: readonly Page[] = [
  ['localhost', 'production', 1006],
  ['127.0.0.1', 'production', 1006],
  ['localhost', 'development', 'Welcome.']
]

/** What pages see, and what happens to a WebSocket that is blocked. */
const outcomes = {
  Chromium: { pages: named(1006), blocked: 'error' },
  Firefox: { pages: named(1015), blocked: 'it throws' },
  WebKit: { pages: local, blocked: 'it throws' }
}

for (const [browserName, program, open] of browsers) {
  const { pages, blocked } = outcomes[browserName]
  describeWith(program, `helmet in ${browserName}`, () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await open(name)
    })
    afterAll(() => browser?.close())

    test.each(pages)('on http://%s in %s: %s', async (host, mode, expected) => {
      const port = await freePort()
      await run(write('helmet', { 3000: port }), ['server.js'], port, { NODE_ENV: mode })
      await browser.goTo(`http://${host}:${port}/`)
      expect(await browser.evaluate(visit(`ws://${host}:${port}/chat`))).toBe(expected)
    })

    test('blocks another port, unless connect-src has it', async () => {
      const [port, other, third] = [await freePort(), await freePort(), await freePort()]
      await run(write('helmet-connect-src', { 3000: port, 4000: other }), ['server.js'], port)
      await browser.goTo(`http://localhost:${port}/`)
      expect(await browser.evaluate(visit(`ws://localhost:${other}/chat`))).toBe('Welcome.')
      expect(await browser.evaluate(visit(`ws://localhost:${third}/chat`))).toBe(blocked)
    })

    test('does not take connect-src https: for wss:', async () => {
      const port = await freePort()
      const folder = write('helmet', { 3000: port })
      const listing = "upgradeInsecureRequests: null, connectSrc: ['https:']"
      const file = join(folder, 'server.js')
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, text.replace('upgradeInsecureRequests: isProduction ? [] : null', listing))
      await run(folder, ['server.js'], port)
      await browser.goTo(`http://localhost:${port}/`)
      expect(await browser.evaluate(visit(`wss://localhost:${await freePort()}/chat`))).toBe(blocked)
    })
  })
}
