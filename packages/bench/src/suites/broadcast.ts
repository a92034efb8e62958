import { broadcasters } from '../contenders/index.ts'
import { type Entry, plainEntries, type Suite } from './suite.ts'

const atOnce = 64
const warmUp = 20

interface Load {
  readonly clients: number
  readonly inOneTick: number
  /** Number of broadcasts. */
  readonly times: number
}

interface Work extends Pick<Suite, 'name' | 'title' | 'text' | 'entries' | 'chart'> {
  readonly load: Load
}

/** What the columns of the table are. */
export const broadcastColumns =
  'The table has the server’s CPU per delivered message, and by how much its memory has grown per connection in the end.'

/** A suite in which all clients get the same messages. */
export function broadcastSuite({ load: { clients, inOneTick, times }, ...description }: Work): Suite {
  return {
    ...description,
    figures: [
      { key: 'cpu', title: 'Server CPU per delivered message', unit: 'µs', digits: 2, compared: true },
      { key: 'rss', title: 'RSS per connection afterwards', unit: 'kB', digits: 1, compared: true },
      { key: 'generatorCpu', title: 'Generator CPU', unit: 'µs', digits: 2, compared: false }
    ],
    fresh: true,
    measure: async ({ server, generate, scaled }) => {
      const asked = scaled(times)
      await generate({ kind: 'open and close', count: atOnce, atOnce })
      await server({ ask: 'settle' })
      const before = await server({ ask: 'memory' })
      await generate({ kind: 'open and stay', count: clients, atOnce })
      await generate({ kind: 'ask for broadcasts', inOneTick, times: Math.min(warmUp, asked) })
      await server({ ask: 'begin' })
      const { cpuMs: generatorMs } = await generate({ kind: 'ask for broadcasts', inOneTick, times: asked })
      const { cpuMs = 0 } = await server({ ask: 'end' })
      const after = await server({ ask: 'memory' })
      await generate({ kind: 'drop' })
      const delivered = asked * inOneTick * clients
      return {
        cpu: (cpuMs * 1_000) / delivered,
        rss: ((after.rssBytes as number) - (before.rssBytes as number)) / clients / 1_000,
        generatorCpu: (generatorMs * 1_000) / delivered
      }
    }
  }
}

/** Compared with a loop over bare `ws`. */
function broadcast(name: string, text: string, load: Load, deflate = false): Suite {
  const { clients, inOneTick } = load
  // crossws does not expose the options of its `ws`, and socket.io would compress its own greeting.
  const able = broadcasters.filter(({ name }) => !deflate || /-(ws|topics|topics-history)$/.test(name))
  return broadcastSuite({
    name: `broadcast-${name}`,
    title: `Broadcast, ${text}`,
    text: `Each of ${clients.toLocaleString('en')} clients gets ${inOneTick === 1 ? 'a text message of 256 B' : `${inOneTick} text messages of 256 B in one tick`}. When all have arrived, the next ${inOneTick === 1 ? 'one is' : 'ones are'} sent.${deflate ? ' Messages are compressed independently of each other (`server_no_context_takeover`).' : ''} ${broadcastColumns}`,
    entries: plainEntries(able, 'broadcast-ws').map((entry): Entry => ({ ...entry, deflate })),
    chart: `Server CPU per delivered message, ${text}, a loop over ws = 1`,
    load
  })
}

export const broadcasts: readonly Suite[] = [
  broadcast('1000', 'to 1,000', { clients: 1_000, inOneTick: 1, times: 120 }),
  broadcast('5000', 'to 5,000', { clients: 5_000, inOneTick: 1, times: 30 }),
  broadcast('ten', 'ten in one tick', { clients: 1_000, inOneTick: 10, times: 20 }),
  broadcast('deflate', 'with permessage-deflate', { clients: 5_000, inOneTick: 1, times: 6 }, true)
]
