/** Runs the tests of one package, or of docs; what stands behind its name goes to Jest. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const packages = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'test')))
const [name, ...args] = process.argv.slice(2)

if (name === 'docs' || packages.includes(name)) {
  const folder = name === 'docs' ? '/docs/' : `/packages/${name}/`
  const jest = join(root, 'node_modules', '.bin', 'jest')
  process.exitCode = spawnSync(jest, [folder, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1
} else {
  process.stderr.write(`npm run test:package takes docs, ${packages.join(', ')}; ${name ?? 'nothing'} came.\n`)
  process.exitCode = 2
}
