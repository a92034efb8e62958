import type { Browser as Chromium } from 'playwright-core'
import type { Browser } from './browser.ts'
import type { Program } from './program.ts'

export const chromium: Program = { path: '/usr/bin/chromium', aptPackage: 'chromium' }

const flags =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking ' +
  '--disable-component-update --disable-sync'

/** Starts Chromium through Playwright, for tests that need more than `Browser`. @param further more flags */
export async function startChromium(further: string[] = []): Promise<Chromium> {
  // Loaded lazily: it is slow, and most tests open no browser.
  const playwright = await import('playwright-core')
  return playwright.chromium.launch({ executablePath: chromium.path, args: [...flags.split(' '), ...further] })
}

/** Opens Chromium with one tab. @param name a host name that leads to this machine */
export async function openChromium(name?: string): Promise<Browser> {
  const browser = await startChromium(name === undefined ? [] : [`--host-resolver-rules=MAP ${name} 127.0.0.1`])
  const page = await browser.newPage({ ignoreHTTPSErrors: true })
  return {
    async goTo(url) {
      await page.goto(url)
    },
    evaluate: (expression) => page.evaluate(expression),
    close: () => browser.close()
  }
}
