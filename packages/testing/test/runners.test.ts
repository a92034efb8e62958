import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runNode } from '@oneport/test-kit'

const packages = join(__dirname, '../..')
const root = join(packages, '..')

/** The packages that ours import, and Vitest. Jest and node:test are run from outside. */
const dependencies: [name: string, from: string][] = [
  ['ws', 'testing'],
  ['express', 'testing'],
  ['fastify', 'testing'],
  ['vitest', 'testing']
]

/** Each test starts a process of its own, on a machine that may be busy. */
const patienceMs = 60_000
jest.setTimeout(patienceMs + 10_000)

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oneport-runners-'))
  const modules = join(folder, 'node_modules')
  for (const name of ['core', 'express', 'fastify', 'testing']) {
    const dist = join(packages, name, 'dist')
    if (!existsSync(join(dist, 'index.mjs')))
      throw new Error(`packages/${name} is not built: call "npm run build" first.`)
    cpSync(dist, join(modules, '@oneport', name, 'dist'), { recursive: true })
    cpSync(join(packages, name, 'package.json'), join(modules, '@oneport', name, 'package.json'))
  }
  for (const [name, from] of dependencies) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(realpathSync(join(packages, from, 'node_modules', name)), join(modules, name))
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Tests that do not close what they open. */
const tests = `
const app = express().set('env', 'test')
app.use(wsUpgrade({ onRefused() {} }))
app.get('/echo', (req, res) =>
  acceptWebSocket(req, res, (socket) => {
    socket.send('hello')
    socket.on('message', (data) => socket.send(String(data)))
  })
)

for (const port of [false, true]) {
  test('Express, port: ' + port, async () => {
    const client = await connect(app, '/echo', { port })
    assert.equal(await client.next(), 'hello')
    client.send('x')
    assert.equal(await client.next(), 'x')
  })

  test('Fastify, port: ' + port, async () => {
    const fastify = Fastify()
    await fastify.register(wsPlugin)
    fastify.get('/echo', { websocket: true }, (socket) => socket.send('hello'))
    const client = await connect(fastify, '/echo', { port })
    assert.equal(await client.next(), 'hello')
  })

  test('a refusal, port: ' + port, async () => {
    const { status } = await expectRefused(app, '/echo', { origin: 'https://evil.example', port })
    assert.equal(status, 403)
    await assert.rejects(connect(app, '/nowhere', { port }), RefusedError)
  })
}

test('a wait that is overdue', async () => {
  const client = await connect(app, '/echo', { timeoutMs: 500 })
  await client.next()
  await assert.rejects(client.next(), /got no message within 500 ms/)
})
`

const imports: [names: string, from: string][] = [
  ['assert', 'node:assert/strict'],
  ['express', 'express'],
  ['Fastify', 'fastify'],
  ['{ acceptWebSocket, wsUpgrade }', '@oneport/express'],
  ['{ wsPlugin }', '@oneport/fastify'],
  ['{ connect, expectRefused, RefusedError }', '@oneport/testing']
]

const required = imports.map(([names, from]) => `const ${names} = require('${from}')`).join('\n')
const imported = imports.map(([names, from]) => `import ${names} from '${from}'`).join('\n')
/** Vitest runs only ES modules, so CommonJS is required in one. */
const requiredInModule = `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\n${required}`

/** The runners, each with the start of a file in either module format. */
const runners: [name: string, file: string, head: string, args: (file: string) => string[]][] = [
  ['Jest, from CommonJS', 'jest.test.cjs', required, jestArgs],
  ['Jest, from an ES module', 'jest.test.mjs', imported, (file) => ['--experimental-vm-modules', ...jestArgs(file)]],
  ['Vitest, from CommonJS', 'vitest-cjs.test.mjs', `import { test } from 'vitest'\n${requiredInModule}`, vitestArgs],
  ['Vitest, from an ES module', 'vitest-esm.test.mjs', `import { test } from 'vitest'\n${imported}`, vitestArgs],
  ['node:test, from CommonJS', 'node.test.cjs', `const test = require('node:test')\n${required}`, nodeArgs],
  ['node:test, from an ES module', 'node.test.mjs', `import test from 'node:test'\n${imported}`, nodeArgs]
]

function jestArgs(file: string): string[] {
  const config = { testMatch: ['**/*.test.*'], transform: {}, moduleFileExtensions: ['mjs', 'cjs', 'js', 'json'] }
  return [
    join(root, 'node_modules/jest/bin/jest.js'),
    `--config=${JSON.stringify(config)}`,
    '--detectOpenHandles',
    file
  ]
}

function vitestArgs(file: string): string[] {
  return [join(folder, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, file]
}

function nodeArgs(file: string): string[] {
  return ['--test', '--test-reporter=tap', join(folder, file)]
}

test.each(runners)('works under %s, and lets it exit', async (_name, file, head, args) => {
  writeFileSync(join(folder, file), `${head}\n${tests}`)
  const { exitCode, output } = await runNode(args(file), folder, patienceMs)
  expect(exitCode === 0 ? '' : output).toBe('')
  expect(output).toMatch(/^(?:Tests: +7 passed, 7 total|\s*Tests {2}7 passed \(7\)|# pass 7)$/m)
  expect(output).not.toMatch(/did not exit|open handle|hanging/)
})
