import { mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startChromium } from '@oneport/test-kit'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { Program } from '../src/program.ts'
import { type Recipe, writeRecipe } from '../src/recipes.ts'

// Starting a program and a browser takes long on a busy machine.
jest.setTimeout(60_000)

const running: Program[] = []
const contexts: BrowserContext[] = []
const recipes: Recipe[] = []
/** What the pages complain of in their consoles. */
const complaints: string[] = []
let expected: RegExp | undefined

/** Expects complaints that match, as many as come, until the test ends: refusals show in the console. */
export function expectComplaints(pattern: RegExp): void {
  expected = pattern
}

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
  // With a signal that they can handle: some have child processes.
  for (const program of running.splice(0)) await program.end('SIGTERM')
  for (const recipe of recipes.splice(0)) recipe.remove()
  const unexpected = complaints.splice(0).filter((text) => expected?.test(text) !== true)
  expected = undefined
  expect(unexpected).toEqual([])
})

/** Starts an application of `examples`, which ends with the test. */
export async function start(name: string, env: NodeJS.ProcessEnv = {}, port?: number): Promise<Program> {
  const program = await Program.startApplication(name, env, port)
  running.push(program)
  return program
}

/** Writes the files of a recipe into a folder that is there until the test ends. @returns the folder */
export function write(...recipe: Parameters<typeof writeRecipe>): string {
  const written = writeRecipe(...recipe)
  recipes.push(written)
  return written.folder
}

/**
 * Lets a recipe find another version of a package.
 * @param installed the name under which packages/pages has that version
 */
export function provide(folder: string, name: string, installed: string): void {
  const link = join(folder, 'node_modules', name)
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(realpathSync(join(__dirname, '..', 'node_modules', installed)), link, 'junction')
}

/** Runs a file of a recipe until the test ends. @param args the file, and what it is given @param node another version of Node */
export async function run(
  folder: string,
  args: readonly string[],
  port: number,
  env: NodeJS.ProcessEnv = {},
  node?: string
): Promise<Program> {
  const program = await Program.run(args.join(' '), args, folder, env, port, node)
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
