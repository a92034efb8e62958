import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, describeWith, firefox, openFirefox } from '@oneport/test-kit'
import { openSite, type Site } from './site.ts'

// What Firefox does with pages that are left. That of Chromium is in browser.test.ts.

jest.setTimeout(60_000)

const script = readFileSync(join(__dirname, '../dist/oneport.min.js'), 'utf8')
const html = `<!doctype html><link rel="icon" href="data:,"><script src="/oneport.min.js"></script>
<script>
  const told = new Promise((resolve) => {
    addEventListener('pageshow', ({ persisted }) => fetch('/shown?' + persisted).then(resolve))
  })
  const open = () => new Promise((resolve) => {
    const socket = new oneport.ReconnectingWebSocket('ws://' + location.host + '/socket', [], { minDelayMs: 3_600_000 })
    socket.onstatechange = ({ state }) => resolve(state)
  })
  const answered = async (path) => {
    while (!performance.getEntriesByType('resource').some(({ name }) => name.endsWith(path))) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
</script>`

describeWith(firefox, 'a page that is left in Firefox', () => {
  let browser: Browser
  let site: Site
  const shown = new EventEmitter()

  beforeAll(async () => {
    browser = await openFirefox()
  })
  afterAll(() => browser.close())

  beforeEach(async () => {
    site = await openSite()
    site.page = ({ url = '' }, res) => {
      const [path, query] = url.split('?')
      const isScript = path === '/oneport.min.js'
      res.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html').end(isScript ? script : html)
      if (path === '/shown') shown.emit('shown', `persisted: ${query}`)
    }
    const first = once(shown, 'shown')
    await browser.goTo(`http://127.0.0.1:${site.port}/`)
    await first
  })

  async function leave(): Promise<void> {
    // A page that waits for a response is not kept.
    await browser.evaluate('told.then(() => {})')
    const other = once(shown, 'shown')
    await browser.goTo(`http://127.0.0.1:${site.port}/other`)
    await other
  }

  async function comeBack(): Promise<unknown> {
    const back = once(shown, 'shown')
    await browser.evaluate('void setTimeout(() => history.back())')
    return (await back)[0]
  }

  test('is kept if there is no connection, and connects when someone returns to it', async () => {
    site.answer = (_req, res) => res.writeHead(503).end()
    expect(await browser.evaluate('open()')).toBe('waiting')
    // The client has asked why, and needs no more than the status.
    await browser.evaluate(`answered('/socket')`)
    await leave()
    site.answer = undefined
    const connection = site.connection()
    expect(await comeBack()).toBe('persisted: true')
    await connection
  })

  // Chromium keeps such a page. Firefox decides before it dispatches `pagehide`, when the connection is still open.
  test('is loaded anew if there was a connection', async () => {
    expect(await browser.evaluate('open()')).toBe('open')
    await leave()
    expect(await comeBack()).toBe('persisted: false')
  })
})
