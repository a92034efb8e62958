import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Registry } from './registry.ts'
import { pack, packages, root, run, runBin, runNpm, temporaryFolder } from './tarballs.ts'

// Package managers and compilers are slow on a busy machine.
jest.setTimeout(180_000)

// The application lies beside a clone, as the pages say.
const folder = temporaryFolder()
const tarballs = join(folder, 'oneport/tarballs')
let registry: Registry
let said: string
/** The lines that `npm run pack` prints. */
const lines = (): string[] => said.match(/(?<=^ {2})npm install .*$/gm) ?? []

beforeAll(async () => {
  mkdirSync(join(folder, 'oneport'))
  ;[registry, said] = await Promise.all([Registry.start(), pack(tarballs)])
})

afterAll(() => registry.stop())

/** Makes package managers install from our registry only, with an empty cache. */
const env = (): NodeJS.ProcessEnv => ({
  npm_config_registry: registry.url,
  npm_config_cache: join(folder, 'cache'),
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false'
})

/** Creates an empty application. */
function application(name: string, manifest = {}): string {
  const cwd = join(folder, name)
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ private: true, ...manifest }))
  return cwd
}

/** The words of a command line, some of which may be quoted. */
const words = (line: string): string[] => line.match(/[^\s"]+|(?<=")[^"]+(?=")/g) ?? []

describe('npm run pack', () => {
  test('prints a line for each package, after the packages of Oneport that it needs', async () => {
    const names = lines().map((line) => line.match(/(?<=oneport-)[\w-]+(?=\.tgz)/g) ?? [])
    for (const all of names) {
      const name = all.at(-1)
      const manifest = await run('tar', ['-xzOf', join(tarballs, `oneport-${name}.tgz`), 'package/package.json'])
      const { dependencies, peerDependencies } = JSON.parse(manifest)
      const siblings = Object.keys({ ...dependencies, ...peerDependencies }).filter((each) =>
        each.startsWith('@oneport/')
      )
      expect(all.slice(0, -1).map((each) => `@oneport/${each}`)).toEqual(siblings)
    }
    expect(names.map((all) => all.at(-1)).sort()).toEqual(packages)
  })

  test.each([
    ['express', ['express']],
    ['fastify', ['fastify']],
    ['hono', ['hono', '@hono/node-server']],
    ['koa', ['koa']]
  ])(
    'prints the line of the README of %s, which npm installs',
    async (name, theirs) => {
      const line = `npm install ../oneport/tarballs/oneport-core.tgz ../oneport/tarballs/oneport-${name}.tgz`
      expect(lines().map((each) => each.replaceAll(tarballs, '../oneport/tarballs').replaceAll('\\', '/'))).toContain(
        line
      )
      const readme = readFileSync(join(root, `packages/${name}/README.md`), 'utf8')
      expect(readme).toContain(`\n${line} ${theirs.join(' ')}\n`)
      const args = [...words(line).slice(1), ...theirs, '--dry-run']
      await runNpm('npm', args, { cwd: application(name), env: env() })
    },
    60_000
  )
})

test('pnpm installs the tarballs with the override that the README has', async () => {
  const readme = readFileSync(join(root, 'packages/express/README.md'), 'utf8')
  const cwd = application('pnpm')
  const [override = ''] = /overrides: \{.*\}(?=`)/.exec(readme) ?? []
  writeFileSync(join(cwd, 'pnpm-workspace.yaml'), `${override}\n`)
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { packageManager: string }
  const paths = ['core', 'express'].map((name) => `../oneport/tarballs/oneport-${name}.tgz`)
  const places = ['--registry', registry.url, '--store-dir', join(folder, 'store'), '--cache-dir', join(folder, 'meta')]
  const npx = ['--yes', '--prefer-offline', packageManager]
  await runNpm('npx', [...npx, 'add', ...places, ...paths, 'express'], { cwd })
  const printed = await run(process.execPath, ['-p', "typeof require('@oneport/express').wsUpgrade"], { cwd })
  expect(printed.trim()).toBe('function')
})

describe('an application that has installed all tarballs with npm', () => {
  let cwd: string

  beforeAll(async () => {
    cwd = application('everything')
    cpSync(join(__dirname, '../scratch'), cwd, { recursive: true })
    const servers = ['express', 'fastify', 'hono', '@hono/node-server', 'koa']
    const theirs = [...servers, 'ws', 'redis', 'ioredis', 'pg', '@types/express@5', '@types/node@20', '@types/ws']
    const ours = lines().flatMap((line) => words(line).slice(2))
    await runNpm('npm', ['install', ...new Set(ours), ...theirs], { cwd, env: env() })
  })

  test.each(['commonjs', 'esm'])(
    'compiles and runs as %s',
    async (app) => {
      cpSync(join(cwd, 'main.ts'), join(cwd, app, 'main.ts'))
      await runBin('typescript', ['-p', join(cwd, app)], { cwd })
      await run(process.execPath, [join(cwd, app, 'main.js')], { cwd })
    },
    60_000
  )
})
