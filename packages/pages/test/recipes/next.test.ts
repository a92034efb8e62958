import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chromium, describeWith, freePort } from '@oneport/test-kit'
import { behavioursOf } from '../../src/behaviours.ts'
import { frameworks } from '../../src/frameworks.ts'
import { root } from '../../src/markdown.ts'
import type { Program } from '../../src/program.ts'
import { openPage, run, write } from '../stage.ts'

// Next.js compiles, and builds, in a machine that does other things too.
jest.setTimeout(180_000)

/** What every application of Next.js has. */
const others = {
  'app/layout.jsx': `export default ({ children }) => (
    <html lang="en"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>
  )`,
  'app/about/page.jsx': 'export default () => <p>Another page.</p>',
  'next.config.js': `export default { turbopack: { root: ${JSON.stringify(root)} } }`
}

const environment = { NEXT_TELEMETRY_DISABLED: '1' }

type Mode = 'development' | 'production'

/** Writes the recipe, and builds it for production. @returns how to run its servers */
async function prepare(mode: Mode): Promise<(server: string) => Promise<Program>> {
  const port = await freePort()
  const folder = write('next', { 3000: port }, others)
  if (mode === 'production') {
    const { NODE_ENV: _test, ...env } = process.env
    const cli = join(root, 'packages', 'pages', 'node_modules', 'next', 'dist', 'bin', 'next')
    await promisify(execFile)(process.execPath, [cli, 'build'], { cwd: folder, env: { ...env, ...environment } })
  }
  return (server) => run(folder, [server], port, { ...environment, NODE_ENV: mode })
}

async function talksInABrowser(program: Program, mode: Mode): Promise<void> {
  const page = await openPage(program.origin)
  const chats: string[] = []
  page.on('websocket', (socket) => chats.push(new URL(socket.url()).pathname))
  await page.reload()
  const answer = page.getByText('You said: <i>hello</i>').first()
  // What is sent before the connection is open is lost.
  while (!(await answer.isVisible())) {
    await page.getByLabel('Message').fill('<i>hello</i>')
    await page.getByRole('button', { name: 'Send' }).click()
    await answer.waitFor({ timeout: 2_000 }).catch(() => {})
  }
  // Next.js has its own beside it.
  expect(chats.some((path) => path.startsWith('/_next/'))).toBe(mode === 'development')
  await page.close()
  expect(await (await program.fetch('/about')).text()).toContain('Another page.')
  expect((await program.connect('/api/chat', { origin: 'https://evil.example' })).status).toBe(403)
}

async function takesTheCookieOfARouteHandler(program: Program): Promise<void> {
  expect((await program.connect('/chat/lobby')).status).toBe(401)
  const login = await program.fetch('/login', { method: 'POST' })
  const [cookie = ''] = login.headers.getSetCookie().map((field) => field.split(';', 1)[0])
  expect(await (await program.connect('/chat/lobby', { headers: { Cookie: cookie } })).next()).toBe(
    'Welcome to lobby, ada.'
  )
}

async function reloadsWhileTalking(program: Program): Promise<void> {
  const hotReload = await program.connect('/_next/hmr?id=test')
  expect(await hotReload.next()).toMatch(/^\{"type":/)
}

describeWith(chromium, 'the recipe for Next.js', () => {
  // One build, or one compiler, for both servers of the page.
  test.each(['development', 'production'] as const)('talks over its WebSocket in %s', async (mode) => {
    const start = await prepare(mode)
    const first = await start('server.js')
    await talksInABrowser(first, mode)
    await first.end('SIGTERM')

    const program = await start('rooms.js')
    await takesTheCookieOfARouteHandler(program)
    if (mode === 'development') await reloadsWhileTalking(program)
    expect(await behavioursOf(program)).toEqual(frameworks.next?.behaviours)
  })
})
