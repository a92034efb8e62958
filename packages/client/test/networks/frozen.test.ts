import type { TopicsOptions } from '@oneport/client'
import {
  chromium,
  describeWith,
  firefox,
  freePort,
  openFirefox,
  type SleepyBrowser,
  startChromium,
  type Tab
} from '@oneport/test-kit'
import { type Browser, type BrowserContext, chromium as playwright } from 'playwright-core'
import { openLine } from './line.ts'
import { openNews } from './news.ts'
import { openPage, sawAll } from './page.ts'

jest.setTimeout(60_000)

/** Only the event `resume` makes a client look whether its connection lives. */
const options: TopicsOptions = { heartbeat: { intervalMs: 3_600_000, timeoutMs: 300, ping: 'ping' } }

/** Over plain HTTP, silence alone is noticed after 40 s. */
const soonMs = 30_000

interface FreezableTab extends Tab {
  freeze(): Promise<void>
  resume(): Promise<void>
}

/** Opens a tab that nobody looks at: others are not frozen. */
async function openTab(context: BrowserContext): Promise<FreezableTab> {
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  const { windowId } = await session.send('Browser.getWindowForTarget')
  await session.send('Browser.setWindowBounds', { windowId, bounds: { windowState: 'minimized' } })
  const setState = async (state: 'frozen' | 'active'): Promise<void> => {
    await session.send('Page.setWebLifecycleState', { state })
  }
  return {
    async goTo(url) {
      await page.goto(url)
    },
    evaluate: (expression) => page.evaluate(expression),
    close: () => page.close(),
    freeze: () => setState('frozen'),
    resume: () => setState('active')
  }
}

describeWith(chromium, 'in a page that is frozen for a while', () => {
  let browser: Browser
  let tab: FreezableTab
  beforeAll(async () => {
    const port = await freePort()
    browser = await startChromium([`--remote-debugging-port=${port}`])
    // Otherwise Playwright has each tab pretend that somebody looks at it.
    const plain = await playwright.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true })
    const [context] = plain.contexts()
    tab = await openTab(context as BrowserContext)
  })
  afterAll(() => browser.close())

  test.each(['websocket', 'stream', 'poll'] as const)(
    'as that of a laptop that sleeps, topics over %s go on, and nothing is lost or doubled',
    async (transport) => {
      const news = await openNews(5, { heartbeat: { intervalMs: 200, timeoutMs: 200 } })
      const line = await openLine(news.port)
      await openPage(tab, line.port, { ...options, transports: [transport] })
      line.silence()
      await tab.freeze()
      await news.deserted()
      await news.more(200)
      line.restore()
      await tab.resume()
      const { faults, transports } = await sawAll(tab, news.count + 100)
      expect(faults).toEqual([])
      expect(transports.at(-1)).toBe(transport)
    },
    soonMs
  )

  test('a WebSocket, which Chromium closes then, comes back, and nothing is lost or doubled', async () => {
    const news = await openNews(5)
    await openPage(tab, news.port)
    await tab.freeze()
    await news.more(200)
    await tab.resume()
    expect(await sawAll(tab, news.count + 100)).toEqual({
      faults: [],
      transports: ['websocket', 'connecting', 'websocket']
    })
  })
})

// It cannot be told to freeze a page.
describeWith(firefox, 'in Firefox that is stopped for a while', () => {
  let browser: SleepyBrowser
  beforeAll(async () => {
    browser = await openFirefox()
  })
  afterAll(() => browser.close())

  test('a WebSocket that the server has given up comes back, and nothing is lost or doubled', async () => {
    const news = await openNews(5, { heartbeat: { intervalMs: 200, timeoutMs: 200 } })
    await openPage(browser, news.port)
    browser.sleep()
    await news.deserted()
    await news.more(200)
    browser.wake()
    expect(await sawAll(browser, news.count + 100)).toEqual({
      faults: [],
      transports: ['websocket', 'connecting', 'websocket']
    })
  })
})
