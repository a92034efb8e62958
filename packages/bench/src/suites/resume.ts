import { resumers } from '../contenders/index.ts'
import { lingerMs, rare } from '../generator/resume/gathering.ts'
import { backoffMs } from '../generator/resume/listener.ts'
import { broadcastColumns, broadcastSuite } from './broadcast.ts'
import { type Entry, plainEntries, type Suite } from './suite.ts'

const entriesWith = (changes: Partial<Entry>): Entry[] =>
  plainEntries(resumers, 'resume-socket-io').map((entry) => ({ ...entry, ...changes }))

const clients = 1_000
const chart = 'Server CPU per delivered message, socket.io = 1'

/** What both do with each message. */
const kept =
  'Both keep each message for clients that come back: socket.io with `connectionStateRecovery`, Oneport with a history and `topics.serve()`.'

interface Messages {
  readonly size: number
  readonly text: string
  readonly times: number
  readonly deflate?: boolean
}

function delivery(name: string, how: string, { size, text, times, deflate = false }: Messages): Suite {
  return broadcastSuite({
    name: `resume-${name}`,
    title: `Resumable messages of ${how}`,
    text,
    entries: entriesWith({ size, deflate }),
    chart,
    load: { clients, inOneTick: 1, times }
  })
}

const subscribers = { shared: 100, each: 4 }

const memory: Suite = {
  name: 'resume-memory',
  title: 'Memory of a subscriber',
  text: `Each client is in ${subscribers.each} of ${subscribers.shared} rooms or topics, and in one of its own. The table has the growth of the heap and of the process after garbage collection, divided by the number of clients. Kernel buffers are not included. ${kept}`,
  entries: entriesWith({}),
  figures: [
    { key: 'heap', title: 'Heap per subscriber', unit: 'kB', digits: 2, compared: true },
    { key: 'rss', title: 'RSS per subscriber', unit: 'kB', digits: 2, compared: true }
  ],
  chart: 'Heap per subscriber, socket.io = 1',
  fresh: true,
  measure: async ({ server, generate, scaled }) => {
    const count = scaled(5_000)
    await generate({ kind: 'open subscribers', count: Math.ceil(count / 25), ...subscribers })
    await generate({ kind: 'drop' })
    await server({ ask: 'settle' })
    const before = await server({ ask: 'memory' })
    await generate({ kind: 'open subscribers', count, ...subscribers })
    const after = await server({ ask: 'memory' })
    await generate({ kind: 'drop' })
    const grownBy = (key: 'heapBytes' | 'rssBytes'): number =>
      ((after[key] as number) - (before[key] as number)) / count / 1_000
    return { heap: grownBy('heapBytes'), rss: grownBy('rssBytes') }
  }
}

const rooms = 50
const awayMs = 4_000
/** Messages per second. */
const calm = 10
const busy = 100
const patienceMs = 60_000

/** What happens in these suites. */
const comingBack = (perSecond: number): string =>
  `5,000 clients are each in one room or topic for all, and in one of ${rooms}. The server ends, and another process starts in its place after ${awayMs / 1_000} s. Meanwhile, and for ${lingerMs / 1_000} s more, ${perSecond} messages of 256 B a second are published at a second server, 1 in ${rare} of them for all. Both contenders share one Redis server between their servers: socket.io with @socket.io/redis-streams-adapter, Oneport with @oneport/redis. A client that loses its connection tries again after a random time from ${backoffMs.least} to ${backoffMs.most} ms, over and over. The time is from the moment when the new server listens until the last client has everything that was published before, or was told that something is missing, and at most ${patienceMs / 1_000} s. The CPU time and memory are those of the new server.`

interface Return extends Pick<Suite, 'name' | 'title' | 'text'> {
  readonly how: 'shut down' | 'kill'
  /** Number of messages, over all rooms. */
  readonly perSecond: number
}

function comeBack({ how, perSecond, ...description }: Return): Suite {
  return {
    ...description,
    entries: entriesWith({}),
    figures: [
      { key: 'time', title: 'All done after', unit: 'ms', digits: 0, compared: how === 'shut down' },
      { key: 'complete', title: 'Complete', unit: '', digits: 0, compared: false },
      { key: 'told', title: 'Told of a loss', unit: '', digits: 0, compared: false },
      { key: 'unaware', title: 'Lost some silently', unit: '', digits: 0, compared: false },
      { key: 'late', title: 'Not done in time', unit: '', digits: 0, compared: false },
      { key: 'doubled', title: 'Messages twice', unit: '', digits: 0, compared: false },
      { key: 'cpu', title: 'Server CPU per client', unit: 'µs', digits: 0, compared: how === 'shut down' },
      { key: 'rss', title: 'Largest RSS', unit: 'MB', digits: 0, compared: how === 'shut down' }
    ],
    chart:
      how === 'shut down' ? 'Time until all clients are done, socket.io = 1' : 'Time until all clients are done in ms',
    fresh: true,
    redis: true,
    measure: async ({ server, restart, startOther, generate, scaled }) => {
      const count = scaled(5_000)
      await generate({ kind: 'gather', clients: count, rooms, otherPort: await startOther(), patienceMs })
      await generate({ kind: 'publish on', perSecond })
      await restart(how, scaled(awayMs))
      await server({ ask: 'begin' })
      const found = await generate({ kind: 'come back', patienceMs })
      const { cpuMs = 0, mostRssBytes = 0 } = await server({ ask: 'end' })
      const { doneMs = 0, complete = 0, told = 0, unaware = 0, late = 0, doubled = 0 } = found
      const [cpu, rss] = [(cpuMs * 1_000) / count, mostRssBytes / 1_000_000]
      return { time: doneMs, complete, told, unaware, late, doubled, cpu, rss }
    }
  }
}

export const resumes: readonly Suite[] = [
  delivery('256', '256 B', {
    size: 256,
    times: 120,
    text: `Each of ${clients.toLocaleString('en')} clients in one room or topic gets a text message of 256 B. When all have arrived, the next one is sent. ${kept} ${broadcastColumns}`
  }),
  delivery('16384', '16 KiB', { size: 16_384, times: 30, text: 'The same with 16 KiB.' }),
  delivery('deflate', '16 KiB, with permessage-deflate', {
    size: 16_384,
    times: 10,
    deflate: true,
    text: 'The same with 16 KiB that are compressed (`server_no_context_takeover`). `ws`, which socket.io uses, compresses a message for each client.'
  }),
  memory,
  comeBack({
    name: 'resume-restart',
    title: 'Back after a restart',
    text: `${comingBack(calm)} Each server shuts down as its documentation says, with \`close()\`.`,
    how: 'shut down',
    perSecond: calm
  }),
  comeBack({
    name: 'resume-restart-busy',
    title: 'Back after a restart, with more messages',
    text: `The same with ${busy} messages a second.`,
    how: 'shut down',
    perSecond: busy
  }),
  comeBack({
    name: 'resume-crash',
    title: 'Back after a crash',
    text: `The same with ${calm} messages a second, and the server is killed with SIGKILL instead. socket.io stores the session of a client when its connection ends, so after a crash there is none to restore, and each client is told so (\`socket.recovered\` is \`false\`).`,
    how: 'kill',
    perSecond: calm
  })
]
