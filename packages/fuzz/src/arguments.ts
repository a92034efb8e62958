import { parseArgs } from 'node:util'
import type { Adapter } from './server.ts'

export const adapters: readonly Adapter[] = ['core', 'express', 'fastify']

/** What the command line asks for. */
export interface Arguments {
  readonly adapters: readonly Adapter[]
  /** Connections in all, over all adapters. */
  readonly count: number
  /** The number of the first visit. */
  readonly first: number
  /** Connections at one time. */
  readonly parallel: number
  readonly seed: number
}

/**
 * Reads the arguments behind `node fuzz.js` or `node soak.js`.
 * @throws Error with one sentence for the person who typed them
 */
export function readArguments(argv: readonly string[], defaults: { count: number; seed: number }): Arguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      adapter: { type: 'string' },
      count: { type: 'string' },
      first: { type: 'string' },
      parallel: { type: 'string' },
      seed: { type: 'string' }
    }
  })
  const { adapter } = values
  if (adapter !== undefined && !adapters.some((name) => name === adapter)) {
    throw new RangeError(`--adapter takes ${adapters.join(', ')}; '${adapter}' came.`)
  }
  return {
    adapters: adapter === undefined ? adapters : [adapter as Adapter],
    count: readNumber('count', values.count, defaults.count, 1),
    first: readNumber('first', values.first, 0, 0),
    parallel: readNumber('parallel', values.parallel, 64, 1),
    seed: readNumber('seed', values.seed, defaults.seed, 0)
  }
}

function readNumber(name: string, value: string | undefined, byDefault: number, least: number): number {
  if (value === undefined) return byDefault
  if (/^\d{1,10}$/.test(value) && Number(value) >= least && Number(value) < 2 ** 32) return Number(value)
  throw new RangeError(`--${name} takes a whole number from ${least} on; '${value}' came.`)
}

/** Reads the arguments, or says what is wrong with them and sets the exit code. */
export function readArgumentsOrExplain(...given: Parameters<typeof readArguments>): Arguments | undefined {
  try {
    return readArguments(...given)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 2
    return undefined
  }
}
