import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { connectClient, handshake, headArrived, sendRaw, type Target } from '@oneport/test-kit'

/** A program that has printed its port. */
interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly target: Target
  /** The lines on stderr so far. */
  readonly lines: () => string[]
}

let running: Running[] = []

afterEach(async () => {
  for (const { child } of running) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  running = []
})

/** Starts a program of test/process, with the built package. */
async function start(program: string, nodeArguments: string[] = [], programArguments: string[] = []): Promise<Running> {
  const file = join(__dirname, 'process', program)
  const child = spawn(process.execPath, [...nodeArguments, file, ...programArguments], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const [port] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => [printed])])
  const one = { child, target: { port: Number(port) }, lines: () => printed.split('\n').slice(0, -1) }
  running.push(one)
  return one
}

/**
 * Whether a complete answer has arrived, or the close frame. After a handler that returns a value, the connection stays
 * open.
 */
const isAnswered =
  (way: string, value: string) =>
  (text: string): boolean =>
    way === 'handlerResult' && value !== 'thenGetter'
      ? headArrived(text)
      : headArrived(text) && (!text.startsWith('HTTP/1.1 101') || text.includes('\x88'))
const message = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]).toString('latin1')

const namesOf = async ({ target }: Running): Promise<{ ways: string[]; values: string[] }> =>
  JSON.parse(await (await fetch(`http://127.0.0.1:${target.port}/`)).text()) as never

describe.each([['by default'], ['if the callbacks throw', 'throw'], ['if the callbacks reject', 'reject']])(
  'regression: a value that cannot be printed ended the process, %s',
  (_name, ...args) => {
    test('and no longer does, wherever it is thrown', async () => {
      const program = await start('hostile-values.mjs', [], args)
      const { ways, values } = await namesOf(program)
      for (const way of ways) {
        for (const value of values) {
          const isForeign = ['option', 'origins', 'refused'].includes(way)
          const sent = handshake(`/${way}/${value}`, { Origin: isForeign ? 'https://evil.example' : undefined })
          const answer = await sendRaw(program.target, Buffer.from(sent + message, 'latin1'), isAnswered(way, value))
          expect([way, value, answer.status]).toEqual([way, value, expect.any(Number)])
        }
      }
      const client = await connectClient(program.target, '/fine/bare')
      await once(client.socket, 'close')
      expect(program.child.exitCode).toBeNull()
      const lines = program.lines()
      expect(
        lines.filter(
          (line) =>
            !/^(?:oneport: (?:fault in (?:dispatch|handler|listener) at "[^"]+": .|HANDSHAKE_)| {4}\S)/.test(line)
        )
      ).toEqual([])
      for (const line of lines) expect(line.length).toBeLessThan(10_000)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
    }, 60_000)
  }
)

test('regression: a closed stderr ended the process', async () => {
  const program = await start('hostile-values.mjs')
  program.child.stderr.destroy()
  for (let round = 0; round < 5; round++) {
    expect((await sendRaw(program.target, handshake('/dispatch/bare'), headArrived)).status).toBe(500)
    expect(
      (await sendRaw(program.target, handshake('/refused/bare', { Origin: 'https://a' }), headArrived)).status
    ).toBe(403)
  }
  const client = await connectClient(program.target, '/fine/bare')
  await once(client.socket, 'close')
  expect(program.child.exitCode).toBeNull()
}, 30_000)

test('regression: a handshake could not be refused under --frozen-intrinsics', async () => {
  const program = await start('hostile-values.mjs', ['--frozen-intrinsics', '--no-warnings'])
  const refused = await sendRaw(program.target, handshake('/refused/bare', { Origin: 'https://a' }))
  expect([refused.status, refused.rest]).toEqual([403, 'Origin "https://a" is not allowed here.\n'])
  expect(
    (await sendRaw(program.target, handshake('/fine/bare', { 'Sec-WebSocket-Key': 'x' }), headArrived)).status
  ).toBe(400)
  expect(program.lines()[0]).toMatch(/^oneport: HANDSHAKE_ORIGIN: origin "https:\/\/a"/)
}, 30_000)
