/** Runs the tests of one package. Further arguments are passed to Jest. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const packages = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'test')))
const [name, ...args] = process.argv.slice(2)

if (packages.includes(name)) {
  const jest = join(root, 'node_modules', '.bin', 'jest')
  process.exitCode = spawnSync(jest, [`/packages/${name}/`, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1
} else {
  process.stderr.write(
    `npm run test:package expects the name of a package, one of ${packages.join(', ')}; got ${name ?? 'none'}.\n`
  )
  process.exitCode = 2
}
