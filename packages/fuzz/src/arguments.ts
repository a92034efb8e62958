import { parseArgs } from 'node:util'
import type { Adapter } from './server.ts'
import { type SettingName, settingNames } from './settings.ts'

export const adapters: readonly Adapter[] = ['core', 'express', 'fastify', 'koa']

/** The arguments on the command line. */
export interface Arguments {
  readonly adapters: readonly Adapter[]
  /** Number of connections, over all adapters. */
  readonly count: number
  /** The number of the first visit. */
  readonly first: number
  /** Number of simultaneous connections. */
  readonly parallel: number
  readonly seed: number
  /** What else listens on the servers. */
  readonly settings: readonly SettingName[]
}

/**
 * Reads the arguments after `node fuzz.js` or `node soak.js`.
 * @throws Error with a one-sentence message for the person who typed them
 */
export function readArguments(argv: readonly string[], defaults: { count: number; seed: number }): Arguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      adapter: { type: 'string' },
      count: { type: 'string' },
      first: { type: 'string' },
      parallel: { type: 'string' },
      seed: { type: 'string' },
      setting: { type: 'string' }
    }
  })
  return {
    adapters: readName('adapter', values.adapter, adapters),
    count: readNumber('count', values.count, defaults.count, 1),
    first: readNumber('first', values.first, 0, 0),
    parallel: readNumber('parallel', values.parallel, 64, 1),
    seed: readNumber('seed', values.seed, defaults.seed, 0),
    settings: readName('setting', values.setting, settingNames)
  }
}

/** Returns all names if the option is not given. */
function readName<Name extends string>(name: string, value: string | undefined, all: readonly Name[]): readonly Name[] {
  if (value === undefined) return all
  const known = all.find((one) => one === value)
  if (known === undefined) throw new RangeError(`--${name} expects one of ${all.join(', ')}; got '${value}'.`)
  return [known]
}

function readNumber(name: string, value: string | undefined, byDefault: number, least: number): number {
  if (value === undefined) return byDefault
  if (/^\d{1,10}$/.test(value) && Number(value) >= least && Number(value) < 2 ** 32) return Number(value)
  throw new RangeError(`--${name} expects a whole number of at least ${least}; got '${value}'.`)
}

/** Reads the arguments. If they are invalid, prints why and sets the exit code. */
export function readArgumentsOrExplain(...given: Parameters<typeof readArguments>): Arguments | undefined {
  try {
    return readArguments(...given)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 2
    return undefined
  }
}
