import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chromium, describeWith } from '@oneport/test-kit'
import type { Page } from 'playwright-core'
import { root } from '../../src/markdown.ts'
import type { Program } from '../../src/program.ts'
import { openPage, openTab, start } from '../stage.ts'

/** A copy that can be changed and built, with the packages of the original. */
const folder = mkdtempSync(join(tmpdir(), 'oneport-vite-'))

beforeAll(() => {
  const original = join(root, 'examples', 'vite')
  cpSync(original, folder, { recursive: true, filter: (file) => !file.includes('node_modules') })
  symlinkSync(join(original, 'node_modules'), join(folder, 'node_modules'), 'junction')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const button = (page: Page) => page.getByRole('button')

/** Opens two tabs that show the same number. */
async function countsTogether(program: Program): Promise<Page> {
  const page = await openPage(program.origin)
  const tab = await openTab(page.context(), program.origin)
  await page.getByText('Online').waitFor()
  await tab.getByText('Clicked 0 times').waitFor()
  await button(page).click()
  await tab.getByText('Clicked 1 times').waitFor()
  expect((await program.connect('/api/count', { origin: 'https://evil.example' })).status).toBe(403)
  return page
}

describeWith(chromium, 'the application vite', () => {
  test('in development, reloads changed files, next to its own WebSocket', async () => {
    const program = await start(folder)
    const page = await countsTogether(program)
    const ports: string[] = []
    page.on('websocket', (socket) => ports.push(new URL(socket.url()).port))
    await page.reload()
    await page.getByText('Online').waitFor()
    // Vite's own, and the application's.
    expect(ports).toEqual([String(program.port), String(program.port)])
    const file = join(folder, 'src', 'main.js')
    writeFileSync(file, readFileSync(file, 'utf8').replace('Clicked ', 'You all clicked '))
    await page.getByText('You all clicked 1 times').waitFor()
  })

  test('in production, serves the built files', async () => {
    const vite = join(folder, 'node_modules', 'vite', 'bin', 'vite.js')
    const { NODE_ENV: _test, ...env } = process.env
    await promisify(execFile)(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: folder, env })
    const program = await start(folder, { NODE_ENV: 'production' })
    expect(await (await program.fetch('/')).text()).not.toContain('/@vite/client')
    await countsTogether(program)
  })
})
