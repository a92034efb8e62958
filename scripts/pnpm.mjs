import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { readJson, root } from './public-packages.mjs'

// Windows has npx as a batch file, which Node does not start; beside it is the program that it calls.
const npx =
  process.platform === 'win32'
    ? [process.execPath, join(dirname(process.execPath), 'node_modules/npm/bin/npx-cli.js')]
    : ['npx']

/** Runs pnpm, in the version that the root's package.json names. Throws with what it printed if it fails. */
export async function pnpm(...args) {
  const [command, ...first] = [...npx, '--yes', readJson('package.json').packageManager, ...args]
  try {
    await promisify(execFile)(command, first, { cwd: root, maxBuffer: Number.POSITIVE_INFINITY })
  } catch (error) {
    throw new Error(`pnpm ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`)
  }
}
