import { parseArgs } from 'node:util'
import { type StoreName, storeNames } from './store.ts'

/** The arguments on the command line. */
export interface Arguments {
  readonly seed: number
  readonly clients: number
  readonly topics: number
  readonly messages: number
  readonly nodes: number
  readonly rate: number
  readonly runs: number
  readonly store: StoreName
}

const string = { type: 'string' } as const
const options = {
  seed: string,
  clients: string,
  topics: string,
  messages: string,
  nodes: string,
  rate: string,
  runs: string,
  store: string
}

/**
 * Reads the arguments after `node torture.js`.
 * @throws Error with a one-sentence message for the person who typed them
 */
export function readArguments(argv: readonly string[], seed: number): Arguments {
  const { values } = parseArgs({ args: [...argv], options })
  const number = (name: keyof typeof options, byDefault: number, least = 1): number => {
    const value = values[name]
    if (value === undefined) return byDefault
    if (/^\d{1,10}$/.test(value) && Number(value) >= least && Number(value) < 2 ** 32) return Number(value)
    throw new RangeError(`--${name} expects a whole number of at least ${least}; got '${value}'.`)
  }
  const store = storeNames.find((name) => name === (values.store ?? 'memory'))
  if (store === undefined) {
    throw new RangeError(`--store expects one of ${storeNames.join(', ')}; got '${values.store}'.`)
  }
  if (number('topics', 1) > 100)
    throw new RangeError('--topics expects at most 100, which is what one request may name.')
  const nodes = number('nodes', store === 'memory' ? 1 : 4)
  if (store === 'memory' && nodes > 1) throw new RangeError('--store memory expects --nodes 1.')
  return {
    seed: number('seed', seed, 0),
    clients: number('clients', 200),
    topics: number('topics', 50),
    messages: number('messages', 20_000),
    nodes,
    rate: number('rate', 1_000),
    runs: number('runs', 1),
    store
  }
}
