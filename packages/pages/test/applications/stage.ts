import { startChromium } from '@oneport/test-kit'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { Program } from '../../src/program.ts'

// A program and a browser that start on a busy machine take their time.
jest.setTimeout(60_000)

const running: Program[] = []
const contexts: BrowserContext[] = []
/** What the pages complain of in their consoles. */
export const complaints: string[] = []

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
  // By a signal that it can act on: some have processes of their own.
  for (const program of running.splice(0)) await program.end('SIGTERM')
  expect(complaints.splice(0)).toEqual([])
})

/** Starts an application of `examples` that ends with the test. */
export async function start(name: string, env: NodeJS.ProcessEnv = {}, port?: number): Promise<Program> {
  const program = await Program.startApplication(name, env, port)
  running.push(program)
  return program
}

let browser: Promise<Browser> | undefined
afterAll(async () => (await browser)?.close())

/** Opens a page in Chromium, as a person of its own: cookies and storage are not shared. */
export async function openPage(url: string): Promise<Page> {
  browser ??= startChromium()
  const context = await (await browser).newContext()
  contexts.push(context)
  return openTab(context, url)
}

/** Opens a page for a person who has one already. */
export async function openTab(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(url)
  return page
}
