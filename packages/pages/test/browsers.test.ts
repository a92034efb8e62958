import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AttachOptions, acceptWebSocket, attach } from '@oneport/core'
import { type Browser, chromium, describeWith, firefox, openChromium, openFirefox } from '@oneport/test-kit'

// What the pages say of browsers, tried with browsers.
jest.setTimeout(60_000)

let server: Server
afterEach(async () => {
  server.closeAllConnections()
  await once(server.close(), 'close')
})

/** Serves a page, and a WebSocket at every other path. */
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

/** What a page learns: the first message, or the close code. */
const visit = (url: string, subprotocols: string[] = []): string => `new Promise((resolve) => {
  const socket = new WebSocket(${JSON.stringify(url)}, ${JSON.stringify(subprotocols)})
  socket.onmessage = ({ data }) => resolve(data)
  socket.onclose = ({ code }) => resolve(code)
})`

for (const [name, program, open, withoutSubprotocol] of [
  ['Chromium', chromium, openChromium, 1006],
  ['Firefox', firefox, openFirefox, 'Welcome.']
] as const) {
  describeWith(program, name, () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await open()
    })
    afterAll(() => browser?.close())

    test('does with an answer that names none of its subprotocols what docs/options.md says', async () => {
      const port = await serve({ subprotocols: ['news.v1'] })
      await browser.goTo(`http://localhost:${port}/`)
      expect(await browser.evaluate(visit(`ws://localhost:${port}/news`, ['chat.v1']))).toBe(withoutSubprotocol)
      expect(await browser.evaluate(visit(`ws://localhost:${port}/news`, ['chat.v1', 'news.v1']))).toBe('Welcome.')
    })

    // A name of somebody else that leads to this machine: DNS was not needed for it.
    test('security: a page whose name was rebound is let in by the default, and kept out by allowedHosts', async () => {
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
