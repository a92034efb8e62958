import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChromium } from '@oneport/kit'
import { build } from 'esbuild'
import type { Browser, BrowserContext } from 'playwright-core'

/** Chromium, and the program of the pages in it, which nodes serve. */
export class PageBrowser {
  /** A file. */
  readonly script: string
  readonly #folder: string
  readonly #browser: Browser

  static async open(): Promise<PageBrowser> {
    const folder = mkdtempSync(join(tmpdir(), 'oneport-torture-page-'))
    const script = join(folder, 'page.js')
    const entry = join(__dirname, '../../src/page/page.ts')
    // The torture ends it by itself, after the clients.
    const ownSignals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }
    try {
      await build({ entryPoints: [entry], outfile: script, bundle: true, format: 'iife', target: 'es2022' })
      return new PageBrowser(folder, script, await startChromium([], [], ownSignals))
    } catch (error) {
      rmSync(folder, { recursive: true })
      throw error
    }
  }

  private constructor(folder: string, script: string, browser: Browser) {
    this.#folder = folder
    this.script = script
    this.#browser = browser
  }

  /** A place for tabs with a storage and a network of their own. */
  newContext(): Promise<BrowserContext> {
    return this.#browser.newContext()
  }

  async close(): Promise<void> {
    await this.#browser.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
