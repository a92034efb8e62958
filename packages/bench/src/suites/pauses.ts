import { contenders } from '../contenders/index.ts'
import { plainEntries, type Suite } from './suite.ts'

const atOnce = 64
const collections = 7

export const pauses: Suite = {
  name: 'pauses',
  title: 'Pauses of a full collection',
  text: `For how long V8 stops the program for a full collection of garbage, with many idle connections: the median of ${collections} that are forced, one after the other. A collection that V8 starts by itself does much of its work while the program runs, so its pauses are shorter.`,
  entries: plainEntries(contenders),
  figures: [{ key: 'pause', title: 'Pause', unit: 'ms', digits: 1, compared: true }],
  chart: 'Pause of a full collection with idle connections, bare ws = 1',
  fresh: true,
  measure: async ({ server, generate, connections }) => {
    await generate({ kind: 'open and stay', count: connections, atOnce })
    const { fullPauseMs = 0 } = await server({ ask: 'collect', times: collections })
    await generate({ kind: 'drop' })
    return { pause: fullPauseMs }
  }
}
