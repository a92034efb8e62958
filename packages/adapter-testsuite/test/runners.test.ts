import { type ExecFileException, execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { cases } from '../src/index.ts'

const root = join(__dirname, '../../..')
const folder = join(__dirname, 'runners')
const { resolve } = createRequire(__filename)

/** Each of these starts a process of its own, on a machine that may be busy. */
const patienceMs = 120_000
jest.setTimeout(patienceMs + 10_000)

/** The runners, each with the arguments of Node that run a file, and what it prints about the count of its tests. */
const runners: [name: string, args: string[], passed: RegExp][] = [
  ['node:test', ['--test', '--test-reporter=tap', join(folder, 'node.test.mjs')], /^# pass (\d+)$/m],
  [
    'Vitest',
    [join(dirname(resolve('vitest/package.json')), 'vitest.mjs'), 'run', '--root', folder, 'vitest.test.mjs'],
    /^\s*Tests {2}(\d+) passed \(\1\)$/m
  ],
  [
    'Jest',
    [
      '--experimental-vm-modules',
      join(root, 'node_modules/jest/bin/jest.js'),
      `--config=${JSON.stringify({ testMatch: ['**/*.test.mjs'], transform: {}, rootDir: folder })}`,
      'jest.test.mjs'
    ],
    /^Tests: +(\d+) passed, \1 total$/m
  ]
]

beforeAll(() => {
  for (const name of ['core', 'express', 'adapter-testsuite']) {
    if (existsSync(join(root, 'packages', name, 'dist/index.mjs'))) continue
    throw new Error(`packages/${name} is not built: call "npm run build" first.`)
  }
})

/** Runs to the end by itself, or is killed. */
function run(args: string[]): Promise<{ exitCode: unknown; output: string }> {
  const { NODE_OPTIONS: _options, NODE_ENV: _test, JEST_WORKER_ID: _worker, ...env } = process.env
  return new Promise((settle) => {
    execFile(
      process.execPath,
      args,
      { cwd: folder, env: { ...env, NO_COLOR: '1' }, timeout: patienceMs, killSignal: 'SIGKILL', maxBuffer: 2 ** 24 },
      (error: ExecFileException | null, stdout, stderr) =>
        settle({ exitCode: error === null ? 0 : (error.code ?? error.signal), output: stdout + stderr })
    )
  })
}

test.each(runners)('%s runs all cases of an adapter, and ends by itself', async (_name, args, passed) => {
  const { exitCode, output } = await run(args)
  expect(exitCode === 0 ? '' : output).toBe('')
  const all = cases(() => Promise.reject(new Error('Nobody starts it')))
  expect(passed.exec(output)?.[1]).toBe(String(all.length))
})
