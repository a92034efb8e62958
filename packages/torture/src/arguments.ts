import { parseArgs } from 'node:util'
import { type ClientName, clientNames } from './run.ts'
import { type StoreName, sharedStores, storeNames } from './store.ts'

/** The arguments on the command line. */
export interface Arguments {
  readonly seed: number
  readonly clients: number
  readonly topics: number
  readonly messages: number
  /** By default one for the history in memory, which is not shared, and otherwise four. */
  readonly nodes: number | undefined
  readonly rate: number
  readonly runs: number
  readonly store: StoreName | 'mixed'
  readonly client: ClientName
  /** By default 20 of 200 clients or more, if they use the library. */
  readonly pages: number
}

/** How many clients a full run has, and how many of them are pages. */
const [fullSize, fullPages] = [200, 20]

const string = { type: 'string' } as const
const options = {
  seed: string,
  clients: string,
  topics: string,
  messages: string,
  nodes: string,
  rate: string,
  runs: string,
  store: string,
  client: string,
  pages: string
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
  const known = [...storeNames, 'mixed'] as const
  const store = known.find((name) => name === (values.store ?? 'memory'))
  if (store === undefined) throw new RangeError(`--store expects one of ${known.join(', ')}; got '${values.store}'.`)
  if (number('topics', 1) > 100)
    throw new RangeError('--topics expects at most 100, which is what one request may name.')
  const client = clientNames.find((name) => name === (values.client ?? 'test'))
  if (client === undefined) {
    throw new RangeError(`--client expects one of ${clientNames.join(', ')}; got '${values.client}'.`)
  }
  const nodes = values.nodes === undefined ? undefined : number('nodes', 1)
  if (store === 'memory' && (nodes ?? 1) > 1) throw new RangeError('--store memory expects --nodes 1.')
  const clients = number('clients', fullSize)
  const pages = number('pages', client === 'library' && clients >= fullSize ? fullPages : 0, 0)
  if (pages > 0 && client !== 'library') throw new RangeError('--pages expects --client library.')
  if (pages > clients) throw new RangeError(`--pages expects at most the number of clients, ${clients}; got ${pages}.`)
  return {
    seed: number('seed', seed, 0),
    clients,
    topics: number('topics', 50),
    messages: number('messages', 20_000),
    nodes,
    rate: number('rate', 1_000),
    runs: number('runs', 1),
    store,
    client,
    pages
  }
}

/** The store and the nodes of the run with a seed. With `mixed`, the seed chooses among the stores that nodes can share. */
export function settingsOf({ nodes, store }: Arguments, seed: number): { store: StoreName; nodes: number } {
  const chosen = store === 'mixed' ? (sharedStores[seed % sharedStores.length] as StoreName) : store
  return { store: chosen, nodes: nodes ?? (chosen === 'memory' ? 1 : 4) }
}
