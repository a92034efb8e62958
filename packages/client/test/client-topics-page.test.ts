import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { attach, serveTopics } from '@oneport/core'
import { type Browser, chromium, describeWith, openChromium } from '@oneport/test-kit'
import { createTopics } from '@oneport/topics'
import { buildSync } from 'esbuild'
import { blocksOf } from '../../pages/src/markdown.ts'

jest.setTimeout(60_000)

const page = 'docs/client-topics.md'
const blockOf = (label: string): string => {
  const block = blocksOf(page).find((each) => each.label === label)
  if (block === undefined) throw new Error(`${page} has no block ${label}`)
  return block.text
}

/** The blocks in the order of the page, which build on each other. What they log and show is in `lines`. */
const script = buildSync({
  stdin: {
    contents: `
      ${blockOf('browser: client-topics')}
      const show = (line) => lines.push('shown: ' + line)
      ${blockOf('browser: client-topics-gap')}
      ${blockOf('browser: client-topics-presence')}
      ${blockOf('browser: client-topics-state')}
    `,
    resolveDir: __dirname
  },
  alias: { '@oneport/client': join(__dirname, '../src/index.ts') },
  banner: {
    js: `const lines = []
      console.log = (...values) => { lines.push(values.join(' ')) }
      const until = async (line) => { while (!lines.includes(line)) await new Promise((resolve) => setTimeout(resolve, 10)) }
      // Before the page waits for its first message.
      Object.assign(window, { lines, until })`
  },
  bundle: true,
  format: 'esm',
  target: 'es2022',
  write: false
}).outputFiles[0]?.text

const html = `<!doctype html><link rel="icon" href="data:,"><script type="module">
  ${script}
  Object.assign(window, { topics })
</script>`

let server: Server

beforeEach(async () => {
  const topics = createTopics({ history: {} })
  server = createServer((req, res) => {
    if (req.url === '/') res.setHeader('Content-Type', 'text/html').end(html)
    else {
      const presence = { id: 'ada', info: { name: 'Ada' } }
      void serveTopics(req, res, topics, { mayRead: () => true, mayPublish: () => true, presence })
    }
  })
  attach(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
})

afterEach(async () => {
  server.closeAllConnections()
  await once(server.close(), 'close')
})

describeWith(chromium, 'the page about topics in the client', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openChromium()
  })
  afterAll(() => browser.close())

  test('works as it says', async () => {
    await browser.goTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const lines = await browser.evaluate(
      `Promise.all(['hello', 'shown: hello', 'Ada'].map(until)).then(() => [...new Set(lines)])`
    )
    expect(lines).toEqual(expect.arrayContaining(['hello', 'shown: hello', 'Ada']))
    expect(await browser.evaluate('topics.close() ?? document.title')).toBe('Chat (offline)')
  })
})
