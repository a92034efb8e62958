import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { handshake, sendRaw } from '@oneport/test-kit'
import { connect, endClients, liveThrough } from './conversations.ts'
import { endPrograms, RunningProgram } from './programs.ts'
import { within } from './within.ts'

// Next.js builds an application.
jest.setTimeout(90_000)

/** A folder from which the packages of this one can be resolved. */
const folder = join(__dirname, '..', 'node_modules', '.cache', `next-${process.pid}`)

/** A page at every path. Without JSX, which Next.js does not compile in such a folder. */
const files: Record<string, string> = {
  'package.json': '{ "private": true }',
  'next.config.js': `module.exports = { turbopack: { root: ${JSON.stringify(join(__dirname, '..', '..', '..'))} } }`,
  'app/layout.js': `
    import { createElement } from 'react'
    export default ({ children }) => createElement('html', null, createElement('body', null, children))`,
  'app/[...slug]/page.js': `
    import { createElement } from 'react'
    export const dynamic = 'force-dynamic'
    export default () => createElement('p', null, 'a page of Next.js')`
}

beforeAll(async () => {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const { NODE_ENV: _test, ...env } = process.env
  await promisify(execFile)(process.execPath, [require.resolve('next/dist/bin/next'), 'build', folder], {
    env: { ...env, NEXT_TELEMETRY_DISABLED: '1' }
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(async () => {
  endClients()
  await endPrograms()
})

type Mode = 'production' | 'development'

/**
 * How Next.js gets handshakes: it listens for `upgrade` from the first request on; with `explicit`, they are passed to
 * it as well.
 */
type Subscription = 'implicit' | 'explicit'

async function start(
  mode: Mode,
  order: 'first' | 'later',
  claims = false,
  subscription: Subscription = 'implicit'
): Promise<RunningProgram> {
  const program = await RunningProgram.start('next', order, claims, [folder, mode, subscription])
  const page = await fetch(`http://127.0.0.1:${program.port}/any/path`)
  expect(await page.text()).toContain('a page of Next.js')
  return program
}

async function leavesOursAlone(program: RunningProgram): Promise<void> {
  const client = await connect(program, '/ours')
  await program.tell({ name: 'settle' })
  await liveThrough(client, 'ours')
  const connecting = connect(program, '/ours/later')
  connecting.catch(() => {})
  await program.tell({ name: 'arrive' })
  await program.tell({ name: 'settle' })
  await program.tell({ name: 'goOn' })
  await liveThrough(await connecting, 'ours', 'server')
}

/** Next.js has a page at every path, so it ends the connection without writing anything. */
async function endsWhatIsAPage(program: RunningProgram): Promise<void> {
  const { text } = await within('the connection ends', sendRaw(program, handshake('/any/path')))
  expect(text).toBe('')
}

async function hasItsHotReload(program: RunningProgram): Promise<void> {
  const client = await connect(program, '/_next/hmr?id=test')
  expect(String(await client.next())).toMatch(/^\{"type":/)
  expect(await client.close()).toBe(1000)
}

const arrangements = [
  ['first, without claims', 'first', false],
  ['first, with claims', 'first', true],
  ['second, without claims', 'later', false],
  ['second, with claims', 'later', true]
] as const

describe('Next.js in production', () => {
  test('without Oneport, ends every handshake, because every path has a page', async () => {
    const program = await start('production', 'later')
    await endsWhatIsAPage(program)
    await program.close()
  })

  test.each(arrangements)('leaves our connections alone, attached %s', async (_how, order, claims) => {
    const program = await start('production', order, claims)
    if (order === 'later') await program.tell({ name: 'attach', claims })
    await leavesOursAlone(program)
    if (claims) await endsWhatIsAPage(program)
    await program.close()
  })
})

describe('Next.js in production, with getUpgradeHandler()', () => {
  test('without Oneport, ends every handshake, because every path has a page', async () => {
    const program = await start('production', 'later', false, 'explicit')
    await endsWhatIsAPage(program)
    await program.close()
  })

  test.each(arrangements)('leaves our connections alone, attached %s', async (_how, order, claims) => {
    const program = await start('production', order, claims, 'explicit')
    if (order === 'later') await program.tell({ name: 'attach', claims })
    await leavesOursAlone(program)
    await program.close()
  })
})

describe('Next.js in development', () => {
  // Next.js takes seconds to start, so one process is used several times.
  test('attached second, without and with claims, leaves our connections alone and keeps its hot reload', async () => {
    const program = await start('development', 'later')
    await hasItsHotReload(program)
    await endsWhatIsAPage(program)
    for (const claims of [false, true]) {
      await program.tell({ name: 'attach', claims })
      await hasItsHotReload(program)
      await leavesOursAlone(program)
      await hasItsHotReload(program)
      await program.tell({ name: 'detach' })
    }
    await hasItsHotReload(program)
  })

  test('attached first, leaves our connections alone and keeps its hot reload', async () => {
    const program = await start('development', 'first')
    await hasItsHotReload(program)
    await leavesOursAlone(program)
    await program.close()
  })
})
