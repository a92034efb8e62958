import { setTimeout as sleep } from 'node:timers/promises'
import { contenders } from '../contenders/index.ts'
import { type Entry, plainEntries, type Suite } from './suite.ts'

const atOnce = 64

/** A contender with its heartbeat on or off, as a line that is not compared with others. */
const variant = (contender: string, title: string, heartbeat: 'on' | 'off'): Entry[] =>
  plainEntries(contenders.filter(({ name }) => name === contender)).map((entry) => {
    const name = heartbeat === 'on' ? contender : `${contender}-off`
    return { ...entry, name, title, heartbeat, base: name }
  })

export const heartbeat: Suite = {
  name: 'heartbeat',
  title: 'Heartbeat',
  text: 'The worst event-loop delay and the CPU per connection, with idle connections that answer pings. Oneport spreads its pings over the interval. A naive sweep pings all clients at once, as the README of ws shows and as crossws does. The rows without a heartbeat show the overhead of the machine and the measurement. One interval is measured, of 4 s instead of 30 s; a sweep sends as many pings at once with either.',
  entries: [
    ...variant('core', 'Oneport core', 'on'),
    ...variant('core', 'Oneport core, heartbeat off', 'off'),
    ...variant('ws', 'bare ws, naive sweep', 'on'),
    ...variant('ws', 'bare ws, no heartbeat', 'off'),
    ...variant('crossws', 'crossws', 'on')
  ],
  figures: [
    { key: 'delay', title: 'Worst loop delay', unit: 'ms', digits: 1, compared: false },
    { key: 'cpu', title: 'Server CPU per connection and interval', unit: 'µs', digits: 1, compared: false }
  ],
  chart: 'Worst event-loop delay in ms',
  fresh: true,
  measure: async ({ server, generate, connections, heartbeatMs }) => {
    await generate({ kind: 'open and stay', count: connections, atOnce })
    // The first ping is sent after one to two intervals.
    await sleep(2 * heartbeatMs)
    await server({ ask: 'begin', watch: 'delay' })
    await sleep(heartbeatMs)
    const { cpuMs = 0, worstDelayMs = 0 } = await server({ ask: 'end' })
    await generate({ kind: 'drop' })
    return { delay: worstDelayMs, cpu: (cpuMs * 1_000) / connections }
  }
}
