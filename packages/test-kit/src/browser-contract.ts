import type { Http2SecureServer, Http2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type Certificate, certificate } from '@oneport/adapter-testsuite/parts'
import type { EndpointOptions, WebSocket } from '@oneport/core'
import type { Browser } from './browser.ts'
import { onlineBrowsers } from './browsers.ts'
import { describeWith } from './program.ts'

/** An application for browsers: HTTP/2 over TLS, with `allowHTTP1`. */
export interface BrowserContract {
  readonly tls: Certificate
  /** The HTML at `/`. */
  readonly page: string
  /** The paths of the WebSocket endpoints. */
  readonly paths: readonly string[]
  readonly endpoint: EndpointOptions
  readonly handler: (socket: WebSocket) => void
}

/** An application that listens on 127.0.0.1. */
export interface ServedToBrowsers {
  readonly server: Http2SecureServer
  /** Closes the WebSockets with 1001, then the server. */
  close(): Promise<void>
}

/** The tests call the functions of this page. */
const page = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script>
  const sockets = []
  function connect(path) {
    const socket = new WebSocket('wss://' + location.host + path, ['chat.v2', 'chat.v1'])
    socket.binaryType = 'arraybuffer'
    sockets.push(socket)
    return new Promise((resolve) => {
      socket.onopen = () => resolve(socket)
      socket.onclose = ({ code }) => resolve(code)
    })
  }
  function exchange(socket, data) {
    return new Promise((resolve) => {
      socket.onmessage = ({ data }) => resolve(data)
      socket.send(data)
    })
  }
  function closed(socket) {
    return new Promise((resolve) => {
      socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean })
    })
  }
</script>`

const paths = ['/first', '/second']
const endpoint: EndpointOptions = { subprotocols: ['chat.v1'] }

function echo(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
}

interface SeenRequest {
  readonly request: readonly [method: unknown, path: unknown, protocol: unknown]
  readonly session: Http2Session | undefined
}

/** Real browsers open WebSockets as streams of the HTTP/2 connection that loaded the page (RFC 8441). */
export function describeBrowsers(name: string, start: (contract: BrowserContract) => Promise<ServedToBrowsers>): void {
  jest.setTimeout(60_000)

  // WebKit for GTK opens WebSockets over HTTP/1.1.
  for (const [browserName, program, openBrowser] of onlineBrowsers) {
    describeWith(program, `${browserName} with ${name}`, () => {
      let browser: Browser
      let served: ServedToBrowsers
      let seen: SeenRequest[]

      beforeAll(async () => {
        browser = await openBrowser()
      })

      afterAll(() => browser?.close())

      beforeEach(async () => {
        seen = []
        served = await start({ tls: await certificate(), page, paths, endpoint, handler: echo })
        // Runs before the server's own listener, which turns the CONNECT into a GET for the router.
        served.server.prependListener('stream', ({ session }, headers) => {
          seen.push({ request: [headers[':method'], headers[':path'], headers[':protocol']], session })
        })
        await browser.goTo(`https://localhost:${(served.server.address() as AddressInfo).port}/`)
      })

      afterEach(() => served?.close())

      test('opens two WebSockets by extended CONNECT, on the session of its page', async () => {
        const told = await browser.evaluate(`Promise.all(${JSON.stringify(paths)}.map(async (path) => {
          const socket = await connect(path)
          const text = await exchange(socket, 'I am ' + path)
          const { byteLength } = await exchange(socket, new Uint8Array(300_000))
          const end = closed(socket)
          socket.close(1000)
          return { subprotocol: socket.protocol, text, byteLength, ...(await end) }
        }))`)
        const common = { subprotocol: 'chat.v1', byteLength: 300_000, code: 1000, wasClean: true }
        expect(told).toEqual(paths.map((path) => ({ text: `I am ${path}`, ...common })))
        expect(seen.map(({ request }) => request)).toEqual([
          ['GET', '/', undefined],
          ['CONNECT', '/first', 'websocket'],
          ['CONNECT', '/second', 'websocket']
        ])
        expect(new Set(seen.map(({ session }) => session)).size).toBe(1)
      })

      test('sees a refusal as 1006 and opens the next WebSocket over HTTP/2 too', async () => {
        const told = await browser.evaluate(`(async () => {
          const refused = await connect('/none')
          return [refused, await exchange(await connect('/first'), 'hello')]
        })()`)
        expect(told).toEqual([1006, 'hello'])
        expect(seen.slice(1).map(({ request }) => request)).toEqual([
          ['CONNECT', '/none', 'websocket'],
          ['CONNECT', '/first', 'websocket']
        ])
      })

      test('gets 1001 for each WebSocket when the server closes', async () => {
        await browser.evaluate(`Promise.all(${JSON.stringify(paths)}.map(connect)).then(() => 'open')`)
        const ends = browser.evaluate('Promise.all(sockets.map(closed))')
        // Once the page answers this, it is waiting for the closes.
        await browser.evaluate('true')
        await served.close()
        expect(await ends).toEqual(paths.map(() => ({ code: 1001, wasClean: true })))
      })
    })
  }
}
