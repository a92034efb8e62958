import { contenders } from '../contenders/index.ts'
import { effortFigures, measureEffort } from './effort.ts'
import { plainEntries, type Sample, type Stage, type Suite } from './suite.ts'

const connections = 16

interface Load {
  readonly size: number
  readonly inFlight: number
  /** Messages per round. */
  readonly messages: number
}

const sizes = { 64: '64 B', 1024: '1 KiB', 65536: '64 KiB' } as const

export async function measureEcho(stage: Stage, { size, inFlight, messages }: Load): Promise<Sample> {
  const bursts = Math.ceil(stage.scaled(messages) / connections / inFlight)
  const load = { size, inFlight, connections, bursts }
  await stage.server({ ask: 'settle' })
  await stage.generate({ kind: 'open for echoes', ...load })
  const sample = await measureEffort(stage, bursts * connections * inFlight, { kind: 'send echoes', ...load })
  await stage.generate({ kind: 'close after echoes' })
  return sample
}

function echo(size: keyof typeof sizes, inFlight: 1 | 8, messages: number): Suite {
  const pace = inFlight === 1 ? 'one at a time' : `${inFlight} in flight`
  return {
    name: `echo-${size}${inFlight === 1 ? '-one' : ''}`,
    title: `Echo of ${sizes[size]}, ${pace}`,
    text:
      inFlight === 1
        ? `Each of ${connections} clients sends a text message of ${sizes[size]} and waits for its echo.`
        : `Each of ${connections} clients sends ${inFlight} text messages of ${sizes[size]} in one write and waits for all echoes.`,
    entries: plainEntries(contenders),
    figures: effortFigures('message'),
    chart: `Server CPU per message of ${sizes[size]}, ${pace}, bare ws = 1`,
    fresh: false,
    measure: (stage) => measureEcho(stage, { size, inFlight, messages })
  }
}

export const echoes: readonly Suite[] = [
  echo(64, 8, 64_000),
  echo(64, 1, 24_000),
  echo(1024, 8, 48_000),
  echo(1024, 1, 20_000),
  echo(65536, 8, 2_048),
  echo(65536, 1, 2_048)
]
