import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { handshake, headArrived, sendRaw } from '@oneport/test-kit'
import { versions } from './versions.ts'

// Starting a process takes long on a busy machine.
jest.setTimeout(60_000)

const folder = join(__dirname, 'process')

describe.each(versions)('A new process with %s', (name) => {
  let child: ChildProcess

  afterEach(() => {
    child.kill('SIGKILL')
  })

  async function start(env: NodeJS.ProcessEnv = {}) {
    child = fork('app.ts', [name], {
      cwd: folder,
      execArgv: ['-r', 'esbuild-register'],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
      })
    }
    const ended = once(child, 'close').then(([exitCode]) => ({ exitCode, printed }))
    const port = await Promise.race([once(child, 'message').then(([message]) => message), ended])
    if (typeof port !== 'number') throw new Error(`The process did not start: ${printed}`)
    return { target: { port }, ended }
  }

  test('accepts a handshake that is the first request it ever gets', async () => {
    const { target, ended } = await start()
    const response = await sendRaw(target, handshake('/chat'), (text) => text.endsWith('welcome'))
    expect(response.status).toBe(101)
    child.send('end')
    expect(await ended).toEqual({ exitCode: 0, printed: '' })
  })

  test.each(['development', 'production'])(
    'survives refusals in a route that ignores the promise, with NODE_ENV=%s',
    async (environment) => {
      const { target, ended } = await start({ NODE_ENV: environment })
      const foreign = handshake('/chat', { Origin: 'https://evil.example' })
      expect((await sendRaw(target, foreign)).status).toBe(403)
      expect((await sendRaw(target, handshake('/chat', { 'Sec-WebSocket-Version': '8' }))).status).toBe(426)
      expect((await sendRaw(target, 'GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')).status).toBe(
        426
      )
      expect((await sendRaw(target, handshake('/chat'), headArrived)).status).toBe(101)
      child.send('end')
      const { exitCode, printed } = await ended
      expect(exitCode).toBe(0)
      expect(printed).toMatch(/^ {4}origin "https:\/\/evil\.example", effective host /m)
      expect(printed).not.toMatch(/unhandled/i)
    }
  )
})
