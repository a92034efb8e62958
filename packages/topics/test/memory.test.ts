import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

// A process that starts on a busy machine takes its time.
jest.setTimeout(60_000)

interface Measured {
  readonly grownBytes: number
  readonly maxBufferedBytes: number
}

/** What a client that does not read makes a process of its own hold. */
async function measure(kind: string): Promise<Measured> {
  const child = fork('memory.ts', {
    cwd: join(__dirname, 'process'),
    execArgv: ['--expose-gc', '-r', 'esbuild-register']
  })
  child.send(kind)
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`The process ended with ${code}.`)))
  ])
  return message as Measured
}

test.each([
  'messages of one byte',
  'messages of 1,000 bytes',
  'messages of 100 bytes, waiting and with the operating system',
  'messages behind a fragment',
  'empty messages behind a compressed one',
  'the latest of many topics'
])(
  'regression: a bound that counts bytes alone holds any amount of memory; %s stay within twice the bound',
  async (kind) => {
    const { grownBytes, maxBufferedBytes } = await measure(kind)
    expect(grownBytes).toBeLessThan(2 * maxBufferedBytes)
  }
)
