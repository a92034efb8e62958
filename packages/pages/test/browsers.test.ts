import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AttachOptions, acceptWebSocket, attach } from '@oneport/core'
import { type Browser, browsers, describeWith } from '@oneport/test-kit'

// Tests what the pages say about browsers, in browsers.
jest.setTimeout(60_000)

let server: Server
afterEach(async () => {
  server.closeAllConnections()
  await once(server.close(), 'close')
})

/** Serves a page at `/`, and WebSockets at every other path. */
async function serve(options: AttachOptions = {}): Promise<number> {
  server = createServer((req, res) => {
    if (req.url === '/')
      res.setHeader('Content-Type', 'text/html').end('<!doctype html><link rel="icon" href="data:,">')
    else void acceptWebSocket(req, res, (socket) => socket.send('Welcome.'))
  })
  attach(server, { onRefused: () => {}, ...options })
  await once(server.listen(0), 'listening')
  return (server.address() as AddressInfo).port
}

/** An expression for the result in a page: the first message, or the close code. */
const visit = (url: string, subprotocols: string[] = []): string => `new Promise((resolve) => {
  const socket = new WebSocket(${JSON.stringify(url)}, ${JSON.stringify(subprotocols)})
  socket.onmessage = ({ data }) => resolve(data)
  socket.onclose = ({ code }) => resolve(code)
})`

for (const [name, program, open] of browsers) {
  describeWith(program, name, () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await open()
    })
    afterAll(() => browser?.close())

    test('handles an answer without a subprotocol as docs/options.md says', async () => {
      const port = await serve({ subprotocols: ['news.v1'] })
      await browser.goTo(`http://localhost:${port}/`)
      expect(await browser.evaluate(visit(`ws://localhost:${port}/news`, ['chat.v1']))).toBe(
        name === 'Chromium' ? 1006 : 'Welcome.'
      )
      expect(await browser.evaluate(visit(`ws://localhost:${port}/news`, ['chat.v1', 'news.v1']))).toBe('Welcome.')
    })

    test('takes a path for the URL, as docs/start.md says', async () => {
      const port = await serve()
      await browser.goTo(`http://localhost:${port}/`)
      expect(await browser.evaluate(visit('/chat/lobby'))).toBe('Welcome.')
    })

    // A foreign name that resolves to this machine, without DNS.
    test('security: a page with a rebound name is allowed by default, and refused with allowedHosts', async () => {
      const own = await serve()
      await browser.goTo(`http://evil.localhost:${own}/`)
      expect(await browser.evaluate(visit(`ws://evil.localhost:${own}/chat`))).toBe('Welcome.')
      server.closeAllConnections()
      await once(server.close(), 'close')

      const port = await serve({ allowedHosts: ['localhost'] })
      await browser.goTo(`http://evil.localhost:${port}/`)
      expect(await browser.evaluate(visit(`ws://evil.localhost:${port}/chat`))).toBe(1006)
      await browser.goTo(`http://localhost:${port}/`)
      expect(await browser.evaluate(visit(`ws://localhost:${port}/chat`))).toBe('Welcome.')
    })
  })
}
