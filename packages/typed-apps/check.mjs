/** Compiles all applications here against the built packages, with each version of TypeScript; the README says how. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)

/** Lays a package into `node_modules` of a folder, and its dependencies beneath it; its peers are the application's. */
function install(name, folder) {
  const source = join(here, '..', name)
  const target = join(here, folder, 'node_modules', '@oneport', name)
  rmSync(target, { recursive: true, force: true })
  for (const part of ['package.json', 'dist']) cpSync(join(source, part), join(target, part), { recursive: true })
  const { dependencies = {} } = require(join(source, 'package.json'))
  for (const dependency of Object.keys(dependencies).filter((other) => !other.startsWith('@oneport/'))) {
    const link = join(target, 'node_modules', dependency)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(source, 'node_modules', dependency)), link, 'junction')
  }
}

/** Compiles the sources of an application a second time, beside what another one has installed. */
function copySources(from, to) {
  const target = join(here, to, 'dist')
  rmSync(target, { recursive: true, force: true })
  const isSource = (path) => !/[\\/](?:node_modules|package\.json)$/.test(path)
  cpSync(join(here, from), target, { recursive: true, filter: isSource })
}

for (const name of ['core', 'topics', 'testing']) install(name, '.')
for (const app of ['express4', 'express5', 'express-both']) install('express', app)
for (const app of ['fastify', 'fastify-first', 'nest']) install('fastify', app)
copySources('express5', 'express4')
copySources('fastify', 'fastify-first')
copySources('ws', 'ws-first')

for (const compiler of ['typescript', 'typescript59']) {
  const manifest = require.resolve(`${compiler}/package.json`)
  const tsc = join(dirname(manifest), 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', here], { stdio: 'inherit' })
  if (status === 0) continue
  process.stderr.write(`These applications do not compile with TypeScript ${require(manifest).version}.\n`)
  process.exitCode = 1
}
