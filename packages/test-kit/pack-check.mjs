/**
 * Packs the public packages as they would be published, checks the tarballs, installs them into a scratch CommonJS app
 * and a scratch ESM app, and lets each do a handshake with both adapters, publish a message and run a test client.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const bin = join(root, 'node_modules', '.bin')
const pnpm = ['--yes', readFileSync(join(root, 'package.json'), 'utf8').match(/pnpm@[\d.]+/)[0]]
const packages = ['core', 'express', 'fastify', 'topics', 'redis', 'testing', 'adapter-testsuite']

/** Runs a command; its output is shown only if it fails. */
async function run(command, args, cwd) {
  try {
    await promisify(execFile)(command, args, { cwd, maxBuffer: Infinity })
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
  }
}

/** Packs all of them. @returns their tarballs by their names */
async function pack(folder) {
  const filters = packages.map((name) => `--filter=@oneport/${name}`)
  await run('npx', [...pnpm, '--recursive', ...filters, 'pack', '--pack-destination', folder], root)
  const files = readdirSync(folder)
  return Object.fromEntries(
    packages.map((name) => [
      `@oneport/${name}`,
      join(
        folder,
        files.find((file) => file.startsWith(`oneport-${name}-`))
      )
    ])
  )
}

/** Looks at one tarball after the other, as far as that goes without an installation. */
async function check(tarballs) {
  for (const tarball of Object.values(tarballs)) {
    await run(join(bin, 'publint'), ['run', tarball, '--strict'], root)
    await run(join(bin, 'attw'), [tarball], root)
  }
}

/** Installs the tarballs, and runs both apps with them. */
async function tryOut(tarballs, folder) {
  cpSync(join(here, 'scratch'), folder, { recursive: true })
  const { catalog } = parseCatalog(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'))
  const ours = Object.entries(tarballs).map(([name, tarball]) => [name, `file:${tarball}`])
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({
      private: true,
      dependencies: {
        ...Object.fromEntries(ours),
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
  const overrides = ours.map(([name, tarball]) => `  '${name}': '${tarball}'\n`)
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), `pmOnFail: ignore\noverrides:\n${overrides.join('')}`)
  await run('npx', [...pnpm, 'install', '--prefer-offline', '--no-frozen-lockfile'], folder)
  for (const app of ['commonjs', 'esm']) {
    cpSync(join(here, 'scratch', 'main.ts'), join(folder, app, 'main.ts'))
    await run(join(bin, 'tsc'), ['-p', join(folder, app)], folder)
    await run(process.execPath, [join(folder, app, 'main.js')], folder)
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'oneport-pack-'))
try {
  const tarballs = await pack(scratch)
  // One of the two keeps a core busy, the other one waits for the disk.
  const outcomes = await Promise.allSettled([check(tarballs), tryOut(tarballs, scratch)])
  const faults = outcomes.flatMap(({ reason }) => (reason === undefined ? [] : [reason.message]))
  if (faults.length > 0) throw new Error(faults.join('\n'))
  process.stdout.write(`Packed, checked and tried: ${Object.keys(tarballs).join(', ')}\n`)
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** The versions in the workspace's catalog: lines of the form `  name: range`. */
function parseCatalog(yaml) {
  const lines = yaml.slice(yaml.indexOf('catalog:')).split('\n').slice(1)
  const entries = lines.slice(0, lines.indexOf('')).map((line) => line.trim().replace(/['"]/g, '').split(': '))
  return { catalog: Object.fromEntries(entries) }
}
