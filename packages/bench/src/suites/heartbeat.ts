import { setTimeout as sleep } from 'node:timers/promises'
import { contenders } from '../contenders/index.ts'
import { type Entry, plainEntries, type Suite } from './suite.ts'

const atOnce = 64

/** A contender with its heartbeat on or off; each line stands for itself. */
const variant = (contender: string, title: string, heartbeat: 'on' | 'off'): Entry[] =>
  plainEntries(contenders.filter(({ name }) => name === contender)).map((entry) => {
    const name = heartbeat === 'on' ? contender : `${contender}-off`
    return { ...entry, name, title, heartbeat, base: name }
  })

export const heartbeat: Suite = {
  name: 'heartbeat',
  title: 'Heartbeat',
  text: 'All connections are idle and answer pings. The interval is 4 s instead of 30 s, and one interval is looked at; the pings of one moment are as many as with 30 s. Measured are the worst delay of the event loop, and the CPU for each connection. Oneport spreads its pings over the interval. The naive sweep pings everybody at once, as the README of ws has it and as crossws does. The lines without a heartbeat show what the machine and the measuring take by themselves.',
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
    // The first ping comes after one to two intervals.
    await sleep(2 * heartbeatMs)
    await server({ ask: 'begin', watchDelay: true })
    await sleep(heartbeatMs)
    const { cpuMs = 0, worstDelayMs = 0 } = await server({ ask: 'end' })
    await generate({ kind: 'drop' })
    return { delay: worstDelayMs, cpu: (cpuMs * 1_000) / connections }
  }
}
