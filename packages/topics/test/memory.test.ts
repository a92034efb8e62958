import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

// Starting a process takes long on a busy machine.
jest.setTimeout(60_000)

interface Measured {
  readonly grownBytes: number
  readonly maxBufferedBytes: number
}

/** Measures in its own process how much memory a client that does not read takes. */
async function measure(kind: string): Promise<Measured> {
  const child = fork('memory.ts', {
    cwd: join(__dirname, 'process'),
    execArgv: ['--expose-gc', '-r', 'esbuild-register']
  })
  child.send(kind)
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`The process exited with ${code}.`)))
  ])
  return message as Measured
}

test.each([
  'one-byte messages',
  '1,000-byte messages',
  '100-byte messages, in the process and in the operating system',
  'messages after a fragment',
  'empty messages after a compressed one',
  'the latest message of many topics'
])(
  'regression: a bound on payload bytes alone allowed any amount of memory; %s stay within twice the bound',
  async (kind) => {
    const { grownBytes, maxBufferedBytes } = await measure(kind)
    expect(grownBytes).toBeLessThan(2 * maxBufferedBytes)
  }
)
