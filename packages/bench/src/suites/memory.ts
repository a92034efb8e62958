import { contenders } from '../contenders/index.ts'
import { plainEntries, type Suite } from './suite.ts'

const atOnce = 64
const warmUp = 200

export const memory: Suite = {
  name: 'memory',
  title: 'Memory of an idle connection',
  text: 'Growth of the heap and of the process after garbage collection, divided by the number of connections. The server was warmed up before. Kernel buffers are not included.',
  entries: plainEntries(contenders),
  figures: [
    { key: 'heap', title: 'Heap per connection', unit: 'kB', digits: 2, compared: true },
    { key: 'rss', title: 'RSS per connection', unit: 'kB', digits: 2, compared: true }
  ],
  chart: 'Heap per idle connection, bare ws = 1',
  fresh: true,
  measure: async ({ server, generate, connections }) => {
    await generate({ kind: 'open and close', count: warmUp, atOnce })
    await server({ ask: 'settle' })
    const before = await server({ ask: 'memory' })
    await generate({ kind: 'open and stay', count: connections, atOnce })
    const after = await server({ ask: 'memory' })
    await generate({ kind: 'drop' })
    const grownBy = (key: 'heapBytes' | 'rssBytes'): number =>
      ((after[key] as number) - (before[key] as number)) / connections / 1_000
    return { heap: grownBy('heapBytes'), rss: grownBy('rssBytes') }
  }
}
