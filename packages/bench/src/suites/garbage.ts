import { contenders } from '../contenders/index.ts'
import { handshakes } from './handshake.ts'
import { plainEntries, type Suite } from './suite.ts'

const atOnce = 64

interface Work {
  readonly kind: 'open and stay' | 'be refused'
  readonly title: string
  readonly text: string
}

function garbage(operation: 'handshake' | 'refusal', { kind, title, text }: Work): Suite {
  return {
    name: `garbage-${operation}`,
    title,
    text,
    entries: plainEntries(contenders),
    figures: [
      { key: 'allocated', title: `Allocated per ${operation}`, unit: 'kB', digits: 1, compared: true },
      { key: 'paused', title: `V8 pauses per ${operation}`, unit: 'µs', digits: 1, compared: false },
      { key: 'worst', title: 'Longest pause', unit: 'ms', digits: 1, compared: false }
    ],
    chart: `Bytes that a ${operation} allocates on the heap, bare ws = 1`,
    fresh: false,
    measure: async ({ server, generate, scaled }) => {
      const count = scaled(handshakes)
      await server({ ask: 'settle' })
      await server({ ask: 'begin', watch: 'garbage' })
      await generate({ kind, count, atOnce })
      const { allocatedBytes = 0, pausedMs = 0, worstPauseMs = 0 } = await server({ ask: 'end' })
      await generate({ kind: 'drop' })
      return { allocated: allocatedBytes / count / 1_000, paused: (pausedMs * 1_000) / count, worst: worstPauseMs }
    }
  }
}

export const garbageSuites: readonly Suite[] = [
  garbage('handshake', {
    kind: 'open and stay',
    title: 'Garbage of a handshake',
    text: 'What a handshake allocates on V8’s heap, including what the open connection keeps, and for how long V8 stops the program to collect garbage meanwhile, as its `GCProfiler` reports it.'
  }),
  garbage('refusal', {
    kind: 'be refused',
    title: 'Garbage of a refusal',
    text: 'The same for handshakes that are refused because of their origin. Nothing of them stays.'
  })
]
