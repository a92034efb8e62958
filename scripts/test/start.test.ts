import { once } from 'node:events'
import { rmSync, statSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Visitor } from '../../packages/demo/test/visitor.ts'
import { Clone, type Run } from './clone.ts'

jest.setTimeout(120_000)

let clone: Clone

beforeEach(() => {
  clone = new Clone()
})

afterEach(() => clone.remove())

const start = (env?: NodeJS.ProcessEnv): Run => clone.run(process.execPath, ['scripts/start.mjs', '--port', '0'], env)

async function end(run: Run): Promise<void> {
  await run.printed(/Oneport chat on \S+/)
  run.process.kill('SIGTERM')
  expect(await run.ended).toBe(0)
}

describe('npm start', () => {
  it('installs and builds at the first start, and later only what has changed, without network', async () => {
    const first = start()
    await end(first)
    expect(first.err).toBe('')
    expect(first.lines).toEqual([
      'Installing what the demo needs: 50 MB to download, about half a minute. Later starts skip this.',
      'Getting pnpm, which installs the packages …',
      'Installing the packages …',
      expect.stringMatching(/^Installed in \d+ s\.$/),
      expect.stringMatching(/^Oneport chat on http:/),
      ''
    ])

    // Without npm, and without a shell that could find it.
    const offline = {
      ...clone.newUser,
      PATH: '',
      npm_execpath: '/nowhere/npm-cli.js',
      npm_config_registry: 'http://127.0.0.1:9'
    }
    clone.edit('package.json', (text) => text.replace('"scripts": {', '"scripts": { "another": "node -v",'))
    const builtAt = () => statSync(join(clone.folder, 'packages/demo/dist/demo.cjs')).mtimeMs
    const before = builtAt()
    const later = start(offline)
    await end(later)
    expect(builtAt()).toBe(before)
    expect(later.err).toBe('')
    expect(later.lines).toEqual([expect.stringMatching(/^Oneport chat on http:/), ''])

    clone.edit('packages/demo/src/main.ts', (text) => `process.stdout.write('Changed.\\n')\n${text}`)
    const changed = start(offline)
    await end(changed)
    expect(changed.lines[0]).toBe('Changed.')

    for (const change of [
      () => clone.edit('pnpm-lock.yaml', (text) => `${text}\n`),
      () => rmSync(join(clone.folder, 'packages/express/node_modules'), { recursive: true })
    ]) {
      change()
      const updated = start()
      await end(updated)
      expect(updated.lines[0]).toBe('Dependencies are missing or have changed. Installing them takes a few seconds.')
    }
  })

  it('ends the demo when npm gets SIGTERM', async () => {
    const npm = clone.run('npm', ['start', '--', '--port', '0'])
    const [, port] = await npm.printed(/Oneport chat on http:\/\/localhost:(\d+)/)
    const visitor = new Visitor(`ws://127.0.0.1:${port}`, 'Ada')
    await visitor.entered()
    const closed = visitor.closed()
    npm.process.kill('SIGTERM')
    expect(await closed).toBe(1001)
    visitor.leave()
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends an installation, and itself, on %s', async (signal) => {
    const registry = createServer().listen(0, '127.0.0.1')
    try {
      await once(registry, 'listening')
      const { port } = registry.address() as AddressInfo
      const run = start({ ...clone.newUser, npm_config_registry: `http://127.0.0.1:${port}` })
      const [socket] = (await once(registry, 'connection')) as [Socket]
      const left = once(socket.on('error', () => {}).resume(), 'close')
      run.process.kill(signal)
      expect(await run.ended).toBe(signal)
      await left
      expect(run.err).toBe('')
    } finally {
      registry.close()
    }
  })
})
