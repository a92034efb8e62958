import type { Browser, LaunchOptions } from 'playwright-core'
import type { Program } from './program.ts'

export const chromium: Program = { path: '/usr/bin/chromium', aptPackage: 'chromium' }

const flags =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking ' +
  '--disable-component-update --disable-sync'

/**
 * Starts Chromium through Playwright.
 *
 * @param further more flags
 * @param without flags of Playwright to leave out
 * @param options more options of Playwright
 */
export async function startChromium(
  further: readonly string[] = [],
  without: string[] = [],
  options: LaunchOptions = {}
): Promise<Browser> {
  // Loaded lazily: it is slow, and most tests open no browser.
  const playwright = await import('playwright-core')
  return playwright.chromium.launch({
    executablePath: chromium.path,
    args: [...flags.split(' '), ...further],
    ignoreDefaultArgs: without,
    ...options
  })
}
