import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@oneport/test-kit'
import { behavioursOf } from '../src/behaviours.ts'
import { withAdapter } from '../src/frameworks.ts'
import { readPage } from '../src/markdown.ts'
import { Program, withMetadata } from '../src/program.ts'

const folder = join(__dirname, '..', 'programs')

// A program has 30 s to start listening and 10 s to exit.
jest.setTimeout(60_000)

let program: Program | undefined
afterEach(() => program?.end())

/** The program of an adapter, and what it needs in its environment. */
const programOf = (name: string): { file: string; env: NodeJS.ProcessEnv } => {
  const [base = name, framework] = name.split('-')
  return framework === undefined
    ? { file: `${name}.mjs`, env: {} }
    : { file: `${base}.mts`, env: { FRAMEWORK: framework } }
}

/** Node runs a program in JavaScript as it is. One for NestJS is compiled next to it. */
function compiled(file: string): string {
  const path = join(folder, file)
  if (!file.endsWith('.mts')) return path
  const cache = join(__dirname, '..', 'node_modules', '.cache')
  const target = join(cache, `${file}-${process.pid}.mjs`)
  mkdirSync(cache, { recursive: true })
  writeFileSync(target, withMetadata(readFileSync(path, 'utf8')))
  return target
}

test('each adapter has a program', () => {
  const files = readdirSync(folder).filter((file) => !file.endsWith('.md'))
  expect(files).toEqual([...new Set(Object.keys(withAdapter).map((name) => programOf(name).file))])
})

test.each(Object.entries(withAdapter))('the program of %s shows what the table says', async (name, { behaviours }) => {
  const port = await freePort()
  const { file, env } = programOf(name)
  program = await Program.run(name, [compiled(file)], folder, { PORT: String(port), ...env }, port)
  expect(await behavioursOf(program)).toEqual(behaviours)
})

describe('the page names the versions that the tests install:', () => {
  const manifest = readFileSync(join(__dirname, '..', 'package.json'), 'utf8')
  const { devDependencies } = JSON.parse(manifest) as { devDependencies: Record<string, string> }

  test.each([
    ['docs/adonisjs.md', ['adonisjs-core-6', 'adonisjs-core-7']],
    ['docs/feathers.md', ['@feathersjs/feathers', '@feathersjs/express', '@feathersjs/koa']],
    ['docs/h3.md', ['h3', 'h3-1', 'nitro', 'nitropack']],
    ['docs/hapi.md', ['@hapi/hapi']],
    ['docs/nextjs.md', ['next']],
    ['docs/polka.md', ['polka', 'polka-1', '@tinyhttp/app']],
    ['docs/restify.md', ['restify', 'restify-11']]
  ])('%s', (page, packages) => {
    const [, tested = ''] = /Tested with(.*?)\n\n/s.exec(readPage(page)) ?? []
    const versions = packages.map((name) => devDependencies[name]?.replace(/^npm:.*@/, '') ?? name)
    expect(versions.filter((version) => !tested.includes(version))).toEqual([])
  })
})
