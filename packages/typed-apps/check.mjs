/** Compiles all applications here against the packed packages, with each version of TypeScript; see the README. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { complaintsAbout } from './mistakes.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const require = createRequire(import.meta.url)

/**
 * Unpacks a package into the `node_modules` of a folder, with its dependencies beneath it. Its peers come from the
 * application.
 */
function install(name, folder) {
  const target = join(here, folder, 'node_modules', '@oneport', name)
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  const tarball = readFileSync(join(root, 'tarballs', `oneport-${name}.tgz`))
  execFileSync('tar', ['-xzf', '-', '--strip-components', '1'], { cwd: target, input: tarball })
  const { dependencies = {} } = require(join(target, 'package.json'))
  for (const dependency of Object.keys(dependencies).filter((other) => !other.startsWith('@oneport/'))) {
    const link = join(target, 'node_modules', dependency)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(root, 'packages', name, 'node_modules', dependency)), link, 'junction')
  }
}

/** Copies an application's sources, to compile them again next to another one's packages. */
function copySources(from, to) {
  const target = join(here, to, 'dist')
  rmSync(target, { recursive: true, force: true })
  const isSource = (path) => !/[\\/](?:node_modules|package\.json)$/.test(path)
  cpSync(join(here, from), target, { recursive: true, filter: isSource })
}

execFileSync(process.execPath, [join(root, 'scripts', 'pack.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] })
for (const name of ['core', 'topics', 'testing']) install(name, '.')
for (const app of ['express4', 'express5', 'express-both']) install('express', app)
for (const app of ['fastify', 'fastify-first', 'nest']) install('fastify', app)
for (const app of ['hono', 'hono-first']) install('hono', app)
for (const app of ['koa', 'koa2']) install('koa', app)
for (const app of ['nest', 'nest12']) install('nestjs', app)
copySources('express5', 'express4')
copySources('fastify', 'fastify-first')
copySources('hono', 'hono-first')
copySources('koa', 'koa2')
copySources('ws', 'ws-first')
copySources('nest', 'nest12')
rmSync(join(here, 'nest12', 'dist', 'main.ts'))

for (const compiler of ['typescript', 'typescript59']) {
  const manifest = require.resolve(`${compiler}/package.json`)
  const tsc = join(dirname(manifest), 'bin', 'tsc')
  // Types of Node and of browsers are global, so that others are another program.
  const programs = [here, join(here, 'node-newest'), join(here, 'hono')]
  const results = programs.map((folder) => spawnSync(process.execPath, [tsc, '-p', folder], { stdio: 'inherit' }))
  const complaints = complaintsAbout(tsc)
  if (results.every(({ status }) => status === 0) && complaints.length === 0) continue
  const { version } = require(manifest)
  for (const line of complaints) process.stderr.write(`${line}\n`)
  process.stderr.write(`These applications do not compile as they should with TypeScript ${version}.\n`)
  process.exitCode = 1
}
