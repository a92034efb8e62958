import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const root = join(__dirname, '../../..')

/** The public packages. */
export const packages = [
  'adapter-testsuite',
  'client',
  'core',
  'express',
  'fastify',
  'hono',
  'koa',
  'nestjs',
  'postgres',
  'redis',
  'testing',
  'topics'
]

/** A temporary folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'oneport-release-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

interface Place {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a program. @returns its output @throws Error with its output, if it fails */
export function run(command: string, args: readonly string[], { cwd = root, env = {} }: Place = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: Number.POSITIVE_INFINITY }
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`))
    })
  })
}

/** Runs a program from a package of this workspace's dependencies. */
export function runBin(name: string, args: readonly string[], place?: Place): Promise<string> {
  const folder = join(root, 'node_modules', name)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: string | object }
  const file: string = typeof bin === 'string' ? bin : Object.values(bin)[0]
  return run(process.execPath, [join(folder, file), ...args], place)
}

/** Runs the npm or npx that is installed with Node. */
export function runNpm(command: 'npm' | 'npx', args: readonly string[], place: Place): Promise<string> {
  if (process.platform !== 'win32') return run(command, args, place)
  const cli = join(dirname(process.execPath), `node_modules/npm/bin/${command}-cli.js`)
  return run(process.execPath, [cli, ...args], place)
}

/** Packs all public packages. @returns the output of `npm run pack` */
export function pack(folder: string): Promise<string> {
  return run(process.execPath, [join(root, 'scripts/pack.mjs'), folder])
}
