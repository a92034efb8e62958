import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '@oneport/test-kit'
import { WebSocket } from 'ws'
import { blocksOf, root } from '../src/markdown.ts'
import { atPort } from '../src/program.ts'

// PM2 starts a daemon, then the workers one after the other.
jest.setTimeout(60_000)

/** Inside packages/pages, so that the server resolves its packages as a user's does. */
const folder = join(__dirname, '..', 'node_modules', '.cache', `pm2-${process.pid}`)
const sockets: WebSocket[] = []

const pm2 = async (...args: string[]): Promise<string> => {
  const { NODE_ENV: _test, ...env } = process.env
  const { stdout } = await promisify(execFile)(join(__dirname, '..', 'node_modules', '.bin', 'pm2'), args, {
    cwd: folder,
    env: { ...env, PM2_HOME: join(folder, 'home'), PM2_DISCRETE_MODE: 'true' }
  })
  return stdout
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await pm2('kill')
  rmSync(folder, { recursive: true, force: true })
})

/** Connects as soon as the server listens. */
async function connect(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`)
  sockets.push(socket)
  try {
    await once(socket, 'open')
    return socket
  } catch {
    await sleep(50)
    return connect(port)
  }
}

test('pm2 reload replaces the workers, and closes their connections with 1012', async () => {
  const port = await freePort()
  const page = blocksOf('docs/deploy/pm2-cluster.md').find(({ label }) => label === 'example: pm2')
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(root, 'docs/deploy/ecosystem.config.cjs'), join(folder, 'ecosystem.config.cjs'))
  writeFileSync(join(folder, 'server.mjs'), atPort(page?.text ?? '', port))

  await pm2('start', 'ecosystem.config.cjs')
  const before = await Promise.all([1, 2, 3, 4].map(() => connect(port)))
  const ends = Promise.all(before.map(async (socket) => (await once(socket, 'close'))[0] as number))
  await pm2('reload', 'app')
  expect(await ends).toEqual([1012, 1012, 1012, 1012])
  expect((await connect(port)).readyState).toBe(WebSocket.OPEN)
  // PM2 writes the log a little later than the worker.
  const log = () => readFileSync(join(folder, 'home', 'logs', 'app-out-0.log'), 'utf8')
  while (!log().includes('closed')) await sleep(50)
  expect(log()).toMatch(/^closed \d, terminated 0$/m)
})
