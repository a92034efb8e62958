/** Runs the tests of one package, or of `scripts`. Passes the arguments after its name to Jest. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from './root.mjs'

const packages = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'test')))
const [name, ...args] = process.argv.slice(2)

if (['scripts', ...packages].includes(name)) {
  const folder = packages.includes(name) ? `/packages/${name}/` : `/${name}/`
  const jest = createRequire(import.meta.url).resolve('jest/bin/jest')
  process.exitCode = spawnSync(process.execPath, [jest, folder, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1
} else {
  const found = name === undefined ? 'no name' : `'${name}'`
  process.stderr.write(`npm run test:package: expected one of ${packages.join(', ')}, scripts; got ${found}\n`)
  process.exitCode = 2
}
