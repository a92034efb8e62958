import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { acceptWebSocket, attach } from '@oneport/core'
import { type Browser, browsers, describeWith } from '@oneport/test-kit'
import { buildSync } from 'esbuild'

// Starting a browser takes long on a busy machine.
jest.setTimeout(60_000)

const script = buildSync({
  entryPoints: [join(__dirname, 'main.ts')],
  bundle: true,
  write: false,
  format: 'iife',
  target: 'es2022'
}).outputFiles[0]?.text

let server: Server
let base: string

beforeAll(async () => {
  server = createServer((req, res) => {
    const path = new URL(req.url ?? '', 'http://localhost').pathname
    if (path === '/page')
      return res
        .setHeader('Content-Type', 'text/html')
        .end('<!doctype html><link rel="icon" href="data:,"><script src="script.js"></script>')
    if (path === '/script.js') return res.setHeader('Content-Type', 'text/javascript').end(script)
    if (path === '/silent') return undefined
    if (path === '/refused') return res.writeHead(400).end()
    return acceptWebSocket(req, res, { subprotocols: ['chat'] }, (socket) => {
      if (path === '/bye') socket.close(3001, 'bye')
      socket.on('message', (data, isBinary) => {
        if (path === '/gone') socket.terminate()
        else socket.send(data, { binary: isBinary })
      })
    })
  })
  attach(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  base = `127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

// After close(), WebKit counts what a message takes in its frame, against the standard.
const frames = 'counts what waits to be sent, in bytes, also after close(): Error:  expected 4, got 10'

describe.each(browsers)('in %s', (browserName, program, open) => {
  describeWith(program, 'the web-platform cases', () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await open()
      await browser.goTo(`http://${base}/page`)
    })
    afterAll(() => browser?.close())

    test.each([
      ['the WebSocket of the browser', 'native'],
      ['a ReconnectingWebSocket', 'reconnecting'],
      ['a ReconnectingWebSocket without retries', 'single']
    ])('hold for %s', async (_about, name) => {
      expect(await browser.evaluate(`runCases('${name}', 'ws://${base}')`)).toEqual(
        browserName === 'WebKit' ? [frames] : []
      )
    })
  })
})
