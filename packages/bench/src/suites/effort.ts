import type { Figure, Sample, Stage } from './suite.ts'

/** The figures of a suite that counts operations. */
export const effortFigures = (operation: string): [Figure, ...Figure[]] => [
  { key: 'cpu', title: `Server CPU per ${operation}`, unit: 'µs', digits: 1, compared: true },
  {
    key: 'rate',
    title: `${operation[0]?.toUpperCase()}${operation.slice(1)}s per second`,
    unit: '',
    digits: 0,
    compared: true
  },
  { key: 'generatorCpu', title: 'Generator CPU', unit: 'µs', digits: 1, compared: false }
]

/** Measures what a number of operations costs the server and the generator. */
export async function measureEffort(
  { server, generate }: Stage,
  operations: number,
  job: Parameters<Stage['generate']>[0]
): Promise<Sample> {
  await server({ ask: 'begin' })
  const { elapsedMs, cpuMs: generatorMs } = await generate(job)
  const { cpuMs = 0 } = await server({ ask: 'end' })
  return {
    cpu: (cpuMs * 1_000) / operations,
    rate: (operations * 1_000) / elapsedMs,
    generatorCpu: (generatorMs * 1_000) / operations
  }
}
