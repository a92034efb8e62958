import type { Browser as Chromium } from 'playwright-core'
import type { Browser } from './browser.ts'
import type { Program } from './program.ts'

export const chromium: Program = { path: '/usr/bin/chromium', aptPackage: 'chromium' }

const flags =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking ' +
  '--disable-component-update --disable-sync'

/** Starts Chromium, with all that Playwright can do. @param further flags beside the usual ones */
export async function startChromium(further: string[] = []): Promise<Chromium> {
  // Most tests open no browser, and it takes a while to load.
  const playwright = await import('playwright-core')
  return playwright.chromium.launch({ executablePath: chromium.path, args: [...flags.split(' '), ...further] })
}

/** Opens Chromium with one tab. */
export async function openChromium(): Promise<Browser> {
  const browser = await startChromium()
  const page = await browser.newPage({ ignoreHTTPSErrors: true })
  return {
    async goTo(url) {
      await page.goto(url)
    },
    evaluate: (expression) => page.evaluate(expression),
    close: () => browser.close()
  }
}
