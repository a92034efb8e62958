import { run } from './campaign.ts'
import { Companion } from './companion.ts'
import { handshakeDraft, write } from './draft.ts'
import { exchange, type Outcome } from './exchange.ts'
import type { Measurement } from './measurement.ts'
import type { Adapter } from './server.ts'
import { ServerProcess } from './server-process.ts'
import { type SettingName, theirPath } from './settings.ts'
import { show } from './show.ts'
import { makeVisit, type Visit } from './visit.ts'

/** Gives up on an adapter after this many faults. */
const mostFaults = 10

/** How many visits back the cause of a crash or of output may lie, as either is noticed a little later. */
const suspects = 300

/** Which visits to make, and callbacks. */
export interface Plan {
  readonly adapter: Adapter
  /** What else listens on the server. */
  readonly setting: SettingName
  readonly seed: number
  /** The number of the first visit. */
  readonly first: number
  readonly count: number
  /** Number of simultaneous connections. */
  readonly parallel: number
  /** Called after each visit. */
  onVisit(): void
  /** Called for each fault, with a description. */
  onFault(report: string): void
}

/** The results of the visits. */
export interface Totals {
  connections: number
  handshakes: number
  /** 101 */
  accepted: number
  /** 101 for ambiguous bytes */
  unjudged: number
  /** 503 */
  timeouts: number
  faults: number
}

/** Sends hostile bytes to a server of one adapter. */
export async function fuzz(plan: Plan): Promise<Totals> {
  const totals: Totals = { connections: 0, handshakes: 0, accepted: 0, unjudged: 0, timeouts: 0, faults: 0 }
  const report = (fault: string): void => {
    totals.faults++
    plan.onFault(`${plan.adapter} ${plan.setting}: ${fault}`)
  }
  const server = await ServerProcess.start(plan.adapter, plan.setting)
  try {
    const before = await server.measure()
    const paths = plan.setting === 'takes' ? ['/echo', theirPath] : ['/echo']
    const companions = await Promise.all(paths.map((path) => Companion.join(server.port, path)))
    const next = await run({
      ...plan,
      port: server.port,
      visit: (index) => makeVisit(plan.seed, index, plan.setting),
      onOutcome(index, visit, outcome) {
        plan.onVisit()
        add(totals, visit, outcome)
        if (outcome.fault !== undefined && !server.hasFailed)
          report(describe(plan, index, visit, outcome.fault, outcome.answer))
        return totals.faults >= mostFaults || server.hasFailed
      }
    })
    const alive = await Promise.all(companions.map((companion) => companion.leave()))
    if (!server.hasFailed && alive.includes(false)) report('an idle connection was closed')
    if (!server.hasFailed) for (const fault of await faultsAfterwards(server, before, totals)) report(fault)
    if (server.hasFailed) report(await blame(plan, server, Math.max(plan.first, next - suspects), next))
  } finally {
    await server.stop()
  }
  return totals
}

function add(totals: Totals, visit: Visit, { status, isUnjudged }: Outcome): void {
  totals.connections++
  totals.handshakes += visit.handshakes
  if (status === 101) totals.accepted++
  if (status === 503) totals.timeouts++
  if (isUnjudged) totals.unjudged++
}

/** Whether the server has released everything and still accepts a handshake. */
async function faultsAfterwards(server: ServerProcess, before: Measurement, totals: Totals): Promise<string[]> {
  const after = await server.settle()
  const faults = leftIn(after, before).map((left) => `the server keeps ${left}`)
  // Clients that left before the deadline must not be waited for.
  if (after.timeouts > totals.timeouts)
    faults.push(`${after.timeouts} handshakes reached their deadline; ${totals.timeouts} clients waited`)
  const pieces = [write(handshakeDraft('/echo'))]
  const { status } = await exchange(server.port, { pieces, frames: [], leaves: 'answered', by: 'end', handshakes: 1 })
  return status === 101 ? faults : [...faults, `an ordinary handshake gets ${status ?? 'nothing'}`]
}

function leftIn(after: Measurement, before: Measurement): string[] {
  const { open, pending, connections, timers, accepted, closed, served, unfinished, sockets } = after
  const left = {
    'open WebSockets': open,
    'pending handshakes': pending,
    connections,
    timers,
    'unfinished requests': unfinished,
    sockets,
    'uncounted closes': accepted - closed,
    'uncounted handshakes': served - accepted,
    descriptors: after.descriptors - before.descriptors
  }
  return Object.entries(left).flatMap(([name, value]) => (value === 0 ? [] : [`${value} ${name}`]))
}

/** Repeats visits one by one, until one of them makes another server fail too. */
async function blame(plan: Plan, { failure }: ServerProcess, first: number, end: number): Promise<string> {
  const server = await ServerProcess.start(plan.adapter, plan.setting)
  try {
    for (let index = first; index < end; index++) {
      const visit = makeVisit(plan.seed, index, plan.setting)
      const { answer } = await exchange(server.port, visit)
      // Output of the server arrives before its next answer.
      if (!server.hasEnded) await server.measure().catch(() => {})
      if (server.hasFailed) return describe(plan, index, visit, server.failure, answer)
    }
  } finally {
    await server.stop()
  }
  return `${failure}
  None of the visits ${first} to ${end - 1} causes this alone. To repeat: ${command(plan, first, end - first)}`
}

const command = ({ adapter, setting, seed }: Plan, first: number, count: number): string =>
  `npm run fuzz -- --adapter ${adapter} --setting ${setting} --seed ${seed} --first ${first} --count ${count}`

const describe = (
  plan: Plan,
  index: number,
  { pieces, frames, leaves, by }: Visit,
  fault: string,
  answer: string
): string =>
  `visit ${index}: ${fault}
  To repeat: ${command(plan, index, 1)}
  Sent, in pieces separated by |; the client leaves ${leaves}, by ${by}:
    ${pieces.map(show).join('|')}
  Frames after a 101:
    ${frames.map(show).join('|')}
  Received:
    ${show(answer)}`
