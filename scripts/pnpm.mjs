import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { readJson, root } from './root.mjs'

/**
 * The command line of npm or npx. Windows has them as batch files, which Node does not start; beside it are the programs
 * that they call.
 */
export const npmCommand = (name) =>
  process.platform === 'win32'
    ? [process.execPath, join(dirname(process.execPath), `node_modules/npm/bin/${name}-cli.js`)]
    : [name]

/**
 * Runs pnpm, in the version that the root's package.json names. Setup has downloaded it; without --prefer-offline npx would
 * ask the registry again, and wait for a minute where there is no network. Throws with what it printed if it fails.
 */
export async function pnpm(...args) {
  const npx = [...npmCommand('npx'), '--yes', '--prefer-offline', readJson('package.json').packageManager]
  const [command, ...first] = [...npx, ...args]
  try {
    await promisify(execFile)(command, first, { cwd: root, maxBuffer: Number.POSITIVE_INFINITY })
  } catch (error) {
    throw new Error(`pnpm ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`)
  }
}
