import { contenders } from '../contenders/index.ts'
import { plainEntries, type Suite } from './suite.ts'

export const reconnect: Suite = {
  name: 'reconnect',
  title: 'Reconnect storm',
  text: '5,000 clients connect at the same moment, as after a restart. The table has the server’s CPU per client, the time until all connections are open, and the worst event-loop delay meanwhile. The time depends as much on the generator as on the server.',
  entries: plainEntries(contenders),
  figures: [
    { key: 'cpu', title: 'Server CPU per client', unit: 'µs', digits: 1, compared: true },
    { key: 'time', title: 'All open after', unit: 'ms', digits: 0, compared: true },
    { key: 'delay', title: 'Worst loop delay', unit: 'ms', digits: 1, compared: true },
    { key: 'generatorCpu', title: 'Generator CPU', unit: 'µs', digits: 1, compared: false }
  ],
  chart: 'Server CPU per client of the storm, bare ws = 1',
  fresh: false,
  measure: async ({ server, generate, scaled }) => {
    const clients = scaled(5_000)
    await server({ ask: 'settle' })
    await server({ ask: 'begin', watch: 'delay' })
    const { elapsedMs, cpuMs: generatorMs } = await generate({ kind: 'open and stay', count: clients, atOnce: clients })
    const { cpuMs = 0, worstDelayMs = 0 } = await server({ ask: 'end' })
    await generate({ kind: 'drop' })
    return {
      cpu: (cpuMs * 1_000) / clients,
      time: elapsedMs,
      delay: worstDelayMs,
      generatorCpu: (generatorMs * 1_000) / clients
    }
  }
}
