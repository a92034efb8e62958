import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { handshake, sendRaw } from '@oneport/test-kit'
import { connect, endClients, liveThrough } from './conversations.ts'
import { endPrograms, RunningProgram } from './programs.ts'
import { within } from './within.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'neighbours-'))
  writeFileSync(join(folder, 'main.js'), 'console.log("hello")\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(async () => {
  endClients()
  await endPrograms()
})

/** A program whose clients get a message at once. */
interface Kind {
  readonly program: string
  readonly path: string
  readonly subprotocols: string[]
  readonly greeting: RegExp
}

const kinds: [name: string, kind: Kind][] = [
  ['Vite', { program: 'vite', path: '/', subprotocols: ['vite-hmr'], greeting: /"type":"connected"/ }],
  ['webpack-dev-server', { program: 'webpack-dev-server', path: '/ws', subprotocols: [], greeting: /"type":"hot"/ }],
  ['PeerJS', { program: 'peer', path: '/peerjs?key=peerjs&id=a&token=b', subprotocols: [], greeting: /"type":"OPEN"/ }],
  ['tinyws', { program: 'tinyws', path: '/theirs', subprotocols: [], greeting: /^theirs$/ }],
  [
    'http-proxy-middleware',
    { program: 'http-proxy-middleware', path: '/api/theirs', subprotocols: [], greeting: /^theirs$/ }
  ]
]

/** Starts a program and makes one request, at which some packages begin to listen for `upgrade`. */
async function start({ program }: Kind, order: 'first' | 'later', claims = false): Promise<RunningProgram> {
  const running = await RunningProgram.start(program, order, claims, [folder])
  await (await fetch(`http://127.0.0.1:${running.port}/api/`)).text()
  return running
}

async function hasItsConnections(program: RunningProgram, { path, subprotocols, greeting }: Kind): Promise<void> {
  const client = await connect(program, path, subprotocols)
  expect(String(await client.next())).toMatch(greeting)
  expect(await client.close()).toBe(1000)
}

async function leavesOursAlone(program: RunningProgram): Promise<void> {
  const client = await connect(program, '/ours')
  await program.tell({ name: 'settle' })
  await liveThrough(client, 'ours')
  const connecting = connect(program, '/ours/later')
  connecting.catch(() => {})
  await program.tell({ name: 'arrive' })
  await program.tell({ name: 'settle' })
  await program.tell({ name: 'goOn' })
  await liveThrough(await connecting, 'ours', 'server')
}

describe.each(kinds)('%s', (_name, kind) => {
  test('without Oneport, gets its connections', async () => {
    const program = await start(kind, 'later')
    await hasItsConnections(program, kind)
    await program.close()
  })

  const arrangements = [
    ['first, without claims', 'first', false],
    ['first, with claims', 'first', true],
    ['second, without claims', 'later', false],
    ['second, with claims', 'later', true]
  ] as const

  test.each(arrangements)('with Oneport attached %s, both get their connections', async (_how, order, claims) => {
    const program = await start(kind, order, claims)
    if (order === 'later') await program.tell({ name: 'attach', claims })
    await hasItsConnections(program, kind)
    await leavesOursAlone(program)
    await hasItsConnections(program, kind)
    if (!claims && kind.program === 'peer') {
      const { status } = await within('the answer arrives', sendRaw(program, handshake('/nowhere')))
      expect(status).toBe(404)
    }
    await program.close()
  })
})
