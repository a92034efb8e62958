import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@oneport/test-kit'
import { behavioursOf } from '../src/behaviours.ts'
import { withAdapter } from '../src/frameworks.ts'
import { Program } from '../src/program.ts'

const folder = join(__dirname, '..', 'programs')

// A program has 10 s to start listening and 10 s to exit.
jest.setTimeout(30_000)

let program: Program | undefined
afterEach(() => program?.end())

test('each adapter has a program', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'))
  expect(files.map((file) => file.slice(0, -'.mjs'.length))).toEqual(Object.keys(withAdapter))
})

test.each(Object.entries(withAdapter))('the program of %s shows what the table says', async (name, { behaviours }) => {
  const port = await freePort()
  program = await Program.run(name, [join(folder, `${name}.mjs`)], folder, { PORT: String(port) }, port)
  expect(await behavioursOf(program)).toEqual(behaviours)
})
