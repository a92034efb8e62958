import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@oneport/test-kit'
import { behavioursOf } from '../src/behaviours.ts'
import { withAdapter } from '../src/frameworks.ts'
import { readPage } from '../src/markdown.ts'
import { Program, withMetadata } from '../src/program.ts'

const folder = join(__dirname, '..', 'programs')
const cache = join(__dirname, '..', 'node_modules', '.cache', `programs-${process.pid}`)

// A program has 10 s to start listening and 10 s to exit.
jest.setTimeout(30_000)

let program: Program | undefined
afterEach(() => program?.end())
afterAll(() => rmSync(cache, { recursive: true, force: true }))

/** The file of a program; that of NestJS is compiled. */
function runnable(name: string): string {
  const source = join(folder, `${name}.ts`)
  if (!existsSync(source)) return join(folder, `${name}.mjs`)
  mkdirSync(cache, { recursive: true })
  const compiled = join(cache, `${name}.mjs`)
  writeFileSync(compiled, withMetadata(readFileSync(source, 'utf8')))
  return compiled
}

test('each adapter has a program', () => {
  const names = readdirSync(folder).flatMap((file) => /^(.*)\.(?:mjs|ts)$/.exec(file)?.[1] ?? [])
  expect(names).toEqual(Object.keys(withAdapter))
})

test.each(Object.entries(withAdapter))('the program of %s shows what the table says', async (name, { behaviours }) => {
  const port = await freePort()
  program = await Program.run(name, [runnable(name)], folder, { PORT: String(port) }, port)
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
