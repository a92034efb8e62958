/**
 * `npm run example NAME`: installs and builds what an application of the folder `examples` lacks, and starts it. Without a
 * name it lists them.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pnpm } from './pnpm.mjs'
import { readJson, root } from './root.mjs'

const names = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

const manifestOf = (name) => readJson(`examples/${name}/package.json`)

function list() {
  const width = Math.max(...names.map((name) => name.length))
  const lines = names.map((name) => `  ${name.padEnd(width)}  ${manifestOf(name).description}`)
  console.log(`npm run example NAME starts one of these:\n\n${lines.join('\n')}`)
}

async function install(name) {
  const programs = [join(root, 'node_modules', 'typescript'), join(root, 'examples', name, 'node_modules')]
  if (programs.every((folder) => existsSync(folder))) return
  console.log('Installing what it needs. The first time this takes about a minute.')
  await pnpm('install', '--frozen-lockfile', '--filter', 'oneport', '--filter', `${manifestOf(name).name}...`)
}

/** Builds the packages of ours that it needs; what is built already takes a moment. */
function build({ dependencies }) {
  const packages = Object.keys(dependencies)
    .filter((dependency) => dependency.startsWith('@oneport/'))
    .map((dependency) => dependency.replace('@oneport', 'packages'))
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
  const { status } = spawnSync(process.execPath, [join(typescript, 'bin', 'tsc'), '-b', ...packages], {
    cwd: root,
    stdio: 'inherit'
  })
  if (status !== 0) throw new Error('The packages could not be built.')
}

/** Runs its `npm start`, and ends as that does. */
async function start(name) {
  const [command, ...args] = manifestOf(name).scripts.start.split(' ')
  const child = spawn(command === 'node' ? process.execPath : command, args, {
    cwd: join(root, 'examples', name),
    stdio: 'inherit'
  })
  // In a terminal Ctrl+C reaches the child by itself.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  const [code] = await once(child, 'exit')
  process.exit(code ?? 0)
}

const [name] = process.argv.slice(2)
if (name === undefined) {
  list()
} else if (names.includes(name)) {
  await install(name)
  build(manifestOf(name))
  await start(name)
} else {
  console.error(`There is no example ${name}.`)
  list()
  process.exitCode = 1
}
