import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { runNode } from '@oneport/test-kit'
import { cases } from '../src/index.ts'

const root = join(__dirname, '../../..')
const folder = join(__dirname, 'runners')
const { resolve } = createRequire(__filename)

/** Each test starts a process of its own, on a machine that may be busy. */
const patienceMs = 120_000
jest.setTimeout(patienceMs + 10_000)

/**
 * The runners, each with Node's arguments to run a file, and a pattern for the number of passed tests in its output.
 */
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

test.each(runners)('%s runs all cases of an adapter, and exits', async (_name, args, passed) => {
  const { exitCode, output } = await runNode(args, folder, patienceMs)
  expect(exitCode === 0 ? '' : output).toBe('')
  const all = cases(() => Promise.reject(new Error('Never started')))
  expect(passed.exec(output)?.[1]).toBe(String(all.length))
})
