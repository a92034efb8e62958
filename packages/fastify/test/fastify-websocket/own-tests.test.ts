import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { freePort } from '@oneport/test-kit'

// Each file is a process, and some cases wait until they time out.
jest.setTimeout(60_000)

const folder = join(dirname(require.resolve('@fastify/websocket/package.json')), 'test')
const files = readdirSync(folder).filter((file) => file.endsWith('.test.js'))

/** The cases that fail, with the reason. */
const failing: Record<string, Record<string, string>> = {
  'base.test.js': {
    'Should fail if custom errorHandler is not a function': 'our message says what was given',
    'Should fail if custom preClose is not a function': 'our message says what was given',
    'Should warn if path option is provided to ws': 'it stops the start, and says what to use',
    'clashing upgrade handler': 'other listeners for `upgrade` do not affect our handshakes'
  },
  'router.test.js': {
    'Should invoke the correct handler depending on the headers': 'a handshake without Host gets 400',
    'Should throw on wrong HTTP method': 'our message names the route and the method',
    'Should throw on an array with a non-GET method': 'our message names the route and the method',
    'Should throw on invalid wsHandler': 'our message names the route and what was given'
  }
}

interface Outcome {
  readonly passed: string[]
  readonly failed: string[]
}

/** Runs a test file of `@fastify/websocket` with our plugin in place of its own. */
async function run(file: string): Promise<Outcome> {
  const modules = ['-r', 'esbuild-register', '-r', './own-tests.cjs']
  const args = [...modules, '--test-force-exit', '--test-reporter=tap', join(folder, file)]
  const env = { ...process.env, FREE_PORT: String(await freePort()), NODE_OPTIONS: '' }
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: join(__dirname, '../process'), env }, (_error, stdout) => resolve(stdout))
  })
  const titles = (how: string): string[] =>
    [...output.matchAll(new RegExp(`^${how} \\d+ - (.*)$`, 'gm'))].map(([, title]) =>
      (title as string).replaceAll('\\', '')
    )
  return { passed: titles('ok'), failed: titles('not ok') }
}

let outcomes: ReadonlyMap<string, Outcome>

beforeAll(async () => {
  outcomes = new Map(await Promise.all(files.map(async (file) => [file, await run(file)] as const)))
})

test.each([
  ['base.test.js', 23],
  ['hooks.test.js', 12],
  ['inject.test.js', 6],
  ['router.test.js', 25]
])('passes %s of @fastify/websocket, except for the listed cases', (file, count) => {
  const { passed, failed } = outcomes.get(file) ?? { passed: [], failed: [] }
  expect(failed.sort()).toEqual(Object.keys(failing[file] ?? {}).sort())
  expect(passed).toHaveLength(count - failed.length)
})

test('runs all of its files', () => {
  expect(files).toHaveLength(4)
})
