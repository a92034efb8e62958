/**
 * `npm run example NAME` installs and builds what an application in the folder `examples` needs, and starts it. Without
 * a name, it lists the applications.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isNodeNewEnough } from './node-version.mjs'
import { readJson, root } from './root.mjs'

const folder = join(root, 'examples')

const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

const manifestOf = (name) => readJson(`examples/${name}/package.json`)

function list(write) {
  const width = Math.max(...names.map((name) => name.length))
  const lines = names.map((name) => `  ${name.padEnd(width)}  ${manifestOf(name).description}`)
  write(`npm run example NAME starts one of these:\n\n${lines.join('\n')}\n`)
}

/** The packages of this repository that a package depends on, directly and indirectly. */
function ourPackages({ dependencies = {} }) {
  const direct = Object.keys(dependencies).filter((name) => name.startsWith('@oneport/'))
  return direct.flatMap((name) => {
    const own = name.replace('@oneport/', '')
    return [...ourPackages(readJson(`packages/${own}/package.json`)), own]
  })
}

/** Runs the command of its `npm start`, and exits with the same code. */
async function run(name) {
  const [, ...args] = manifestOf(name).scripts.start.split(' ')
  const child = spawn(process.execPath, args, { cwd: join(folder, name), stdio: 'inherit' })
  // In a terminal, Ctrl+C is sent to the child too.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  const [exitCode] = await once(child, 'exit')
  process.exit(exitCode ?? 0)
}

async function start(name) {
  const { endWithShell } = await import('./end-with-shell.mjs')
  endWithShell()
  const { installExample } = await import('./install/install.mjs')
  if (!(await installExample(name))) return
  const { buildPackages } = await import('./build-packages.mjs')
  if (await buildPackages([...new Set(ourPackages(manifestOf(name)))])) await run(name)
}

const [name] = process.argv.slice(2)
if (name === undefined) {
  list((text) => process.stdout.write(text))
} else if (!names.includes(name)) {
  list((text) => process.stderr.write(`There is no example ${name}. ${text}`))
  process.exitCode = 1
} else if (isNodeNewEnough()) {
  // No top-level `await`: an old Node has to be able to parse this file.
  void start(name)
}
