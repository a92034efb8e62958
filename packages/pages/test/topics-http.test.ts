import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGunzip } from 'node:zlib'
import { attach, serveTopics } from '@oneport/core'
import { type Browser, browsers, describeWith } from '@oneport/test-kit'
import { createTopics, type Topics } from '@oneport/topics'
import { blocksOf } from '../src/markdown.ts'
import { lookFor } from './proxies/installed.ts'
import { nginx } from './proxies/kinds.ts'
import { startProxy } from './proxies/stage.ts'

jest.setTimeout(60_000)

const blocks = blocksOf('docs/topics-http.md')
const blockOf = (label: string): string => blocks.find((block) => block.label === label)?.text ?? ''

/** nginx as it is, without the lines that WebSockets need. It buffers responses. */
const plainNginx = `upstream app { server 127.0.0.1:3000; }
server {
  listen 80;
  listen 443 ssl;
  ssl_certificate     /etc/ssl/app.example.crt;
  ssl_certificate_key /etc/ssl/app.example.key;
  proxy_set_header Host $http_host;
  location / { proxy_pass http://app; }
}
`

let server: Server
let topics: Topics

beforeEach(async () => {
  topics = createTopics({ history: {} })
  const access = { mayRead: () => true, mayPublish: () => true }
  server = createServer((req, res) => {
    if (req.url === '/') {
      res.setHeader('Content-Type', 'text/html').end('<!doctype html><link rel="icon" href="data:,">')
    } else void serveTopics(req, res, topics, access)
  })
  attach(server, { onRefused: () => {} })
  await once(server.listen(0), 'listening')
})

afterEach(async () => {
  await topics.close()
  server.closeAllConnections()
  await once(server.close(), 'close')
})

const portOf = (): number => (server.address() as AddressInfo).port

/** Runs the blocks of the page. What they log is in `lines`. */
const run = `(() => {
  const console = {
    log: (...values) => lines.push(values.map((value) => (value instanceof Uint8Array ? [...value].join() : value)).join(' '))
  }
  window.lines = []
  ${blockOf('browser: topics-http')}
  ${blockOf('browser: topics-http-types')}
  window.events = events
})()`

/** What the page has logged, as soon as there are so many lines, without the names of epochs. */
async function logged(browser: Browser, count: number): Promise<string[]> {
  const lines = (await browser.evaluate(`new Promise((resolve) => {
    const look = () => lines.length >= ${count} ? resolve(lines) : setTimeout(look, 5)
    look()
  })`)) as string[]
  return lines.map((line) => line.replaceAll(/[0-9a-f]{12}\.\w/g, 'e'))
}

async function subscribed(count: number): Promise<void> {
  while (topics.stats().subscriptions < count) await new Promise(setImmediate)
}

const { hint, isInstalled } = lookFor('nginx', 'nginx')
;(isInstalled ? test : test.skip)(`nginx that compresses streams passes on each event at once${hint}`, async () => {
  const gzip = 'gzip on; gzip_types text/event-stream; gzip_min_length 1; gzip_proxied any; gzip_http_version 1.0;'
  const { plain } = await startProxy(nginx, portOf(), plainNginx.replace('  listen 80;', `  ${gzip}\n  listen 80;`))
  const headers = { Host: 'localhost', Accept: 'text/event-stream', 'Accept-Encoding': 'gzip' }
  const asked = get({ port: plain.port, path: '/topics?topic=news', headers, agent: false })
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  expect(response.headers['content-encoding']).toBe('gzip')
  const text = response.pipe(createGunzip())
  const until = async (wanted: string): Promise<void> => {
    for (let got = ''; !got.includes(wanted); ) {
      const chunk = text.read() as Buffer | null
      if (chunk === null) await once(text, 'readable')
      else got += chunk
    }
  }
  await until('subscribed')
  for (const payload of ['hello', 'x'.repeat(100_000), 'bye']) {
    topics.publish('news', payload)
    await until(payload)
  }
  asked.on('error', () => {}).destroy()
})

for (const [name, program, open] of browsers) {
  describeWith(program, name, () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await open()
    })
    afterAll(() => browser?.close())

    test('gets the events of the page, and what it missed when it comes back', async () => {
      await browser.goTo(`http://localhost:${portOf()}/`)
      await browser.evaluate(run)
      await subscribed(2)
      topics.publish('chat/lobby', 'hello\nworld')
      topics.publish('news', 'a\r\nb')
      topics.publish('news', Buffer.from([0, 255]))
      expect(await logged(browser, 5)).toEqual([
        'subscribed e 0 new chat/lobby e:0,-',
        'subscribed e 0 new news e:0,e:0',
        'message 1 chat/lobby\nhello\nworld e:1,e:0',
        'message 1 news\na\r\nb',
        [...Buffer.from('message 2 news\n\0\xff', 'latin1')].join()
      ])
      // Ends the stream, as a proxy would.
      server.closeAllConnections()
      while (topics.stats().subscriptions > 0) await new Promise(setImmediate)
      topics.publish('news', 'missed')
      expect((await logged(browser, 8)).slice(5)).toEqual([
        'subscribed e 1 resumed chat/lobby e:1,e:2',
        'subscribed e 2 resumed news e:1,e:2',
        'message 3 news\nmissed e:1,e:3'
      ])
      await browser.evaluate('window.events.close()')
    })

    ;(isInstalled ? test : test.skip)(`gets each event at once through nginx that buffers${hint}`, async () => {
      const { plain } = await startProxy(nginx, portOf(), plainNginx)
      await browser.goTo(`http://localhost:${plain.port}/`)
      const opened = browser.evaluate(`new Promise((resolve) => {
        const socket = new WebSocket('ws://' + location.host + '/topics', ['oneport.topics.1'])
        socket.onopen = () => resolve('opened')
        socket.onclose = () => resolve('refused')
      })`)
      expect(await opened).toBe('refused')
      await browser.evaluate(run)
      await subscribed(2)
      topics.publish('news', 'hello')
      expect((await logged(browser, 3)).at(-1)).toBe('message 1 news\nhello e:0,e:1')
      await browser.evaluate('window.events.close()')
    })
  })
}
