import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { readJson, root } from './root.mjs'

/**
 * The command line of npm or npx. On Windows they are batch files, which Node can't start, so this is the script that
 * the batch file runs.
 */
export const npmCommand = (name) =>
  process.platform === 'win32'
    ? [process.execPath, join(dirname(process.execPath), `node_modules/npm/bin/${name}-cli.js`)]
    : [name]

/**
 * Runs pnpm in the version from the root's package.json. Setup has already downloaded it; without --prefer-offline, npx
 * would ask the registry again, and wait for a minute if there is no network.
 * @throws with the output of pnpm, if it fails
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
