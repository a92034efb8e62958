import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { closed, connectClient, freePort } from '@oneport/test-kit'
import { Clone, type Run } from './clone.ts'

jest.setTimeout(120_000)

let clone: Clone

beforeEach(() => {
  clone = new Clone()
})

afterEach(() => clone.remove())

const start = (args: string[], env: NodeJS.ProcessEnv = process.env): Run =>
  clone.run(process.execPath, ['scripts/example.mjs', ...args], env)

/** Waits until it serves, opens a WebSocket, and ends it. */
async function visit(run: Run, port: string): Promise<void> {
  await run.printed(`Open http://localhost:${port}/`)
  const { next, socket } = await connectClient({ port: Number(port) }, '/rooms/tea?name=Ada')
  expect(JSON.parse(await next())).toEqual({ type: 'people', people: ['Ada'] })
  const cut = closed(socket)
  run.process.kill('SIGTERM')
  expect(await run.ended).toBe(0)
  await cut
}

describe('npm run example', () => {
  it('installs and builds what an example lacks, and later starts it without network', async () => {
    const PORT = String(await freePort())
    const first = start(['chat'], { ...process.env, PORT })
    await visit(first, PORT)
    expect(first.lines[0]).toMatch(/^Installing what the example chat needs: /)
    expect(first.err).toBe('')

    // No npm, and no shell that would find one.
    const offline = { ...clone.newUser, PATH: '', npm_execpath: '/nowhere/npm-cli.js', PORT }
    const later = start(['chat'], offline)
    await visit(later, PORT)
    expect([later.lines, later.err]).toEqual([[`Open http://localhost:${PORT}/ in two tabs.`, ''], ''])

    clone.edit('packages/topics/src/index.ts', (text) => `${text}\nprocess.stdout.write('Changed.\\n')\n`)
    const changed = start(['chat'], offline)
    await visit(changed, PORT)
    expect(changed.lines[0]).toBe('Changed.')
  })

  it('installs another example, and keeps the demo', async () => {
    const demo = clone.run(process.execPath, ['scripts/start.mjs', '--port', '0'])
    await demo.printed(/Oneport chat on/)
    demo.process.kill('SIGTERM')
    await demo.ended
    const PORT = String(await freePort())
    const example = start(['chat'], { ...process.env, PORT })
    await visit(example, PORT)
    expect(example.lines[0]).toMatch(/^Dependencies are missing or have changed\./)
    const again = clone.run(process.execPath, ['scripts/start.mjs', '--port', '0'])
    await again.printed(/Oneport chat on/)
    expect(again.lines[0]).toMatch(/^Oneport chat on/)
  })

  it('lists all examples without a name, and with one that there is not', async () => {
    const names = readdirSync(join(clone.folder, 'examples'), { withFileTypes: true }).filter((one) =>
      one.isDirectory()
    )
    const list = start([])
    expect(await list.ended).toBe(0)
    for (const { name } of names) expect(list.out).toContain(`\n  ${name} `)
    const unknown = start(['none'])
    expect(await unknown.ended).toBe(1)
    expect(unknown.err).toBe(`There is no example none. ${list.out}`)
  })
})
