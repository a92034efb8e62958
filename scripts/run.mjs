/**
 * `node scripts/run.mjs PROGRAM ARGUMENTS` builds everything, and runs a built program in this process, so that it gets
 * signals directly.
 */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundleClient } from './bundle-client.mjs'
import { endWithShell } from './end-with-shell.mjs'
import { root } from './root.mjs'

endWithShell()
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
const build = [join(typescript, 'bin', 'tsc'), '-b']
const { status } = spawnSync(process.execPath, build, { cwd: root, stdio: 'inherit' })
if (status === 0) {
  await bundleClient()
  const program = join(root, process.argv[2])
  // As if Node had been called with the program.
  process.argv.splice(1, 2, program)
  await import(pathToFileURL(program).href)
} else {
  process.exitCode = status ?? 1
}
