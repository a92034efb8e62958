/**
 * Packs the public packages as they would be published, checks the tarballs, installs them into a scratch CommonJS app
 * and a scratch ESM app, and lets each do a handshake with both adapters, publish a message and run a test client.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const bin = join(root, 'node_modules', '.bin')
const pnpm = ['--yes', readFileSync(join(root, 'package.json'), 'utf8').match(/pnpm@[\d.]+/)[0]]
const packages = ['core', 'express', 'fastify', 'topics', 'redis', 'testing', 'adapter-testsuite']

/** Runs a command; its output is shown only if it fails. */
function run(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    process.stderr.write(`${command} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? ''}\n`)
    process.exit(1)
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'oneport-pack-'))
try {
  const tarballs = {}
  for (const name of packages) {
    run('npx', [...pnpm, 'pack', '--pack-destination', scratch], join(root, 'packages', name))
    const file = readdirSync(scratch).find((entry) => entry.startsWith(`oneport-${name}-`))
    tarballs[`@oneport/${name}`] = `file:${join(scratch, file)}`
    run(join(bin, 'publint'), ['run', join(scratch, file), '--strict'], root)
    run(join(bin, 'attw'), [join(scratch, file)], root)
  }

  cpSync(join(here, 'scratch'), scratch, { recursive: true })
  const { catalog } = parseCatalog(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'))
  writeFileSync(
    join(scratch, 'package.json'),
    JSON.stringify({
      private: true,
      dependencies: {
        ...tarballs,
        '@types/express': catalog['@types/express'],
        '@types/node': catalog['@types/node'],
        '@types/ws': catalog['@types/ws'],
        express: catalog.express,
        fastify: catalog.fastify,
        ioredis: catalog.ioredis,
        redis: catalog.redis,
        ws: catalog.ws
      }
    })
  )
  const overrides = Object.entries(tarballs).map(([name, tarball]) => `  '${name}': '${tarball}'\n`)
  writeFileSync(join(scratch, 'pnpm-workspace.yaml'), `pmOnFail: ignore\noverrides:\n${overrides.join('')}`)
  run('npx', [...pnpm, 'install', '--prefer-offline', '--no-frozen-lockfile'], scratch)
  for (const app of ['commonjs', 'esm']) {
    cpSync(join(here, 'scratch', 'main.ts'), join(scratch, app, 'main.ts'))
    run(join(bin, 'tsc'), ['-p', join(scratch, app)], scratch)
    run(process.execPath, [join(scratch, app, 'main.js')], scratch)
  }
  process.stdout.write(`Packed, checked and tried: ${Object.keys(tarballs).join(', ')}\n`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** The versions in the workspace's catalog: lines of the form `  name: range`. */
function parseCatalog(yaml) {
  const lines = yaml.slice(yaml.indexOf('catalog:')).split('\n').slice(1)
  const entries = lines.slice(0, lines.indexOf('')).map((line) => line.trim().replace(/['"]/g, '').split(': '))
  return { catalog: Object.fromEntries(entries) }
}
