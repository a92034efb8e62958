import { startChromium } from '@oneport/test-kit'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { Program } from '../../src/program.ts'

// Starting a program and a browser takes long on a busy machine.
jest.setTimeout(60_000)

const running: Program[] = []
const contexts: BrowserContext[] = []
/** What the pages have logged to their consoles. */
export const complaints: string[] = []

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
  // With a signal that they can handle: some have child processes.
  for (const program of running.splice(0)) await program.end('SIGTERM')
  expect(complaints.splice(0)).toEqual([])
})

/** Starts an application of `examples`, which ends with the test. */
export async function start(name: string, env: NodeJS.ProcessEnv = {}, port?: number): Promise<Program> {
  const program = await Program.startApplication(name, env, port)
  running.push(program)
  return program
}

let browser: Promise<Browser> | undefined
afterAll(async () => (await browser)?.close())

/** Opens a page in Chromium as another person, with separate cookies and storage. */
export async function openPage(url: string): Promise<Page> {
  browser ??= startChromium()
  const context = await (await browser).newContext()
  contexts.push(context)
  return openTab(context, url)
}

/** Opens another page for the same person. */
export async function openTab(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(url)
  return page
}
