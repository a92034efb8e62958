import { startChromium } from '@oneport/kit'
import type { Page } from 'playwright-core'
import type { OnlineBrowser, Tab } from './browser.ts'

/** Opens Chromium with one tab. @param name a host name that leads to this machine */
export async function openChromium(name?: string): Promise<OnlineBrowser> {
  const browser = await startChromium(name === undefined ? [] : [`--host-resolver-rules=MAP ${name} 127.0.0.1`])
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  return {
    ...tabOf(await context.newPage()),
    close: () => browser.close(),
    openTab: async () => tabOf(await context.newPage()),
    setOffline: (isOffline) => context.setOffline(isOffline)
  }
}

const tabOf = (page: Page): Tab => ({
  async goTo(url) {
    await page.goto(url)
  },
  evaluate: (expression) => page.evaluate(expression),
  close: () => page.close()
})
