import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, describeWith, firefox, openFirefox, openWebKit, webkit } from '@oneport/test-kit'
import { openSite, type Site } from './site.ts'

// What browsers do with pages that are left. What Chromium does is in browser.test.ts.

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

describe.each([
  ['Firefox', firefox, openFirefox, 'loaded anew', 'persisted: false'],
  ['WebKit', webkit, openWebKit, 'kept', 'persisted: true']
])('in %s', (name, program, openBrowser, fate, persisted) => {
  describeWith(program, 'a page that is left', () => {
    let browser: Browser
    let site: Site
    const shown = new EventEmitter()

    beforeAll(async () => {
      browser = await openBrowser()
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
      let told: unknown
      let connection: Promise<unknown> | undefined
      // A busy Firefox does not always keep a page.
      while (told !== 'persisted: true') {
        site.answer = (_req, res) => res.writeHead(503).end()
        expect(await browser.evaluate('open()')).toBe('waiting')
        // The client has asked why, and needs no more than the status. WebKit does not list what was given up then.
        if (name === 'Firefox') await browser.evaluate(`answered('/socket')`)
        await leave()
        site.answer = undefined
        connection = site.connection()
        told = await comeBack()
      }
      await connection
    })

    // Firefox decides before it dispatches `pagehide`, when the connection is still open.
    test(`is ${fate} if there was a connection`, async () => {
      expect(await browser.evaluate('open()')).toBe('open')
      await leave()
      expect(await comeBack()).toBe(persisted)
    })
  })
})
