import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '@oneport/test-kit'
import { behavioursOf } from '../../src/behaviours.ts'
import { frameworks } from '../../src/frameworks.ts'
import type { Program } from '../../src/program.ts'
import { recipeBlocks } from '../../src/recipes.ts'
import { provide, run, write } from '../stage.ts'

const packages = join(__dirname, '..', '..', 'node_modules')
const plugin = 'server/plugins/development.js'

/** The plugin of Nitro 3 as the page describes it for Nitro 2. */
const pluginOfNitro2 = (recipeBlocks().find(([path]) => path === `nitro/${plugin}`)?.[1].text ?? '')
  .replace(/^import \{ definePlugin .*\n/m, '')
  .replace('definePlugin', 'defineNitroPlugin')

const versions = [
  { name: 'nitro', cli: 'nitro/dist/cli/index.mjs', others: {} },
  { name: 'nitro-2', cli: 'nitropack/dist/cli/index.mjs', others: { [plugin]: pluginOfNitro2 } }
] as const

const { NODE_ENV: _test, ...env } = process.env

/** Writes the recipe, with h3 1 for Nitro 2. */
function prepare({ name, others }: (typeof versions)[number], port: number): string {
  const folder = write(name, { 3000: port }, others)
  if (name === 'nitro-2') provide(folder, 'h3', 'h3-1')
  return folder
}

/**
 * What a user gets with the first connection that Nitro passes on. Nitro 3 closes those that come while it has no worker,
 * which it has a little later than it says "built". Before, it listens for a moment to see whether the port is free.
 */
async function greeting(program: Program): Promise<string> {
  for (;;) {
    try {
      const answer = await program.connect('/chat/lobby', { headers: { Authorization: 'Bearer secret-of-ada' } })
      return answer.status === 101 ? await answer.next() : `status ${answer.status}`
    } catch (error) {
      if (!['ECONNRESET', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
      await sleep(50)
    }
  }
}

describe.each(versions)('the recipe for $name', (version) => {
  const cli = join(packages, version.cli)

  test('shows what the table says, with a copy of core in its output', async () => {
    const port = await freePort()
    const folder = prepare(version, port)
    await promisify(execFile)(process.execPath, [cli, 'build'], { cwd: folder, env })
    expect(await behavioursOf(await run(folder, ['start.js'], port))).toEqual(frameworks[version.name]?.behaviours)
  })

  test('serves WebSockets in development, from the first handshake on and after a reload', async () => {
    const port = await freePort()
    const folder = prepare(version, port)
    const program = await run(folder, [cli, 'dev', '--port', String(port)], port)
    expect(await greeting(program)).toBe('Welcome to lobby, ada.')
    const route = join(folder, 'server/routes/chat/[room].js')
    writeFileSync(route, readFileSync(route, 'utf8').replace('Welcome to', 'Welcome again to'))
    while ((await greeting(program).catch(String)) !== 'Welcome again to lobby, ada.') await sleep(50)
  })
})
