import { type Conditions, conditionsFor, unusualNote } from '../conditions.ts'
import { markdownTable } from '../section.ts'
import { drawTimeline } from '../timeline.ts'
import type { Deploy, KeptRolling, Recording, Way } from './recording.ts'

export const rollingChart = 'bench-rolling.svg'

export const rollingConditions = (): Conditions => ({
  ...conditionsFor(['@oneport/client', '@oneport/core', '@oneport/topics', '@oneport/redis']),
  pinning: 'processes that are not pinned to cores'
})

const title = 'A rolling deploy'
const description = 'Clients without a connection, and handshakes, over time'

const whole = (value: number): string => Math.round(value).toLocaleString('en')
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`
const milliseconds = (value: number): string => `${whole(value)} ms`
const over = (ms: number): string => (ms === 0 ? 'at once' : `over ${ms / 1_000} s`)

/** What the table shows, for each deploy. */
const figures: readonly (readonly [what: string, find: (deploy: Deploy) => string])[] = [
  ['Connections lost', ({ losses }) => whole(losses)],
  ['Without a connection, median', ({ awayMs }) => milliseconds(awayMs.median)],
  ['Without a connection, worst', ({ awayMs }) => milliseconds(awayMs.worst)],
  ['Handshakes in a second, most at one node', ({ handshakes }) => whole(handshakes)],
  ['CPU of a node in a second, most', ({ cpu }) => percent(cpu.most)],
  ['The same before, median', ({ cpu }) => percent(cpu.before)],
  ['Event-loop delay of a node, worst', ({ delayMs }) => milliseconds(delayMs.worst)],
  ['The same before', ({ delayMs }) => milliseconds(delayMs.before)],
  ['Messages delivered', ({ messages }) => whole(messages.delivered)],
  ['Missing', ({ messages }) => whole(messages.missing)],
  ['Twice', ({ messages }) => whole(messages.doubled)],
  ['Gaps reported', ({ messages }) => whole(messages.gaps)],
  ['Not published', ({ messages }) => whole(messages.unpublished)],
  ['The deploy took', ({ seconds }) => `${whole(seconds)} s`],
  ['CPU of the clients', ({ crowd }) => percent(crowd.cpu)],
  ['Event-loop delay of the clients, worst', ({ crowd }) => milliseconds(crowd.delayMs)]
]

const textOf = ({ nodes, clients, perSecond, restMs }: Recording): string =>
  `${whole(clients)} clients of \`@oneport/client\`, in one process, are connected to ${nodes} nodes behind HAProxy (\`balance leastconn\`), which share topics with history over one Redis server. Each client is in a topic for all and in one of 50 rooms. One more client publishes ${perSecond} messages of 256 B a second, 1 in 10 of them for all. Then one node after the other restarts: it answers a readiness check with 503, half a second later calls \`drain({ code: 1012, spreadMs })\`, and ends; another process takes its place, and after ${restMs / 1_000} s it is the next one's turn. Connections are closed at once or over some time (\`spreadMs\` of \`drain()\`), and clients come back at once or over some time (\`spreadMs\` of \`connectTopics()\`, ${over(3_000)} by default); besides that, each waits for a random part of half a second. A client that comes back to a node that restarts later loses its connection again. The time without a connection is from \`statechange\` to \`statechange\`. Percentages are of one core, and all processes share the cores of the machine.`

const headingOf = ({ closeMs, returnMs }: Way): string => `Closed ${over(closeMs)}, back ${over(returnMs)}`

/** The section of the page. */
export function rollingSection({ recording, conditions }: KeptRolling, usual: Conditions): string {
  const { deploys } = recording
  const rows = figures.map(([what, find]) => [what, ...deploys.map(find)])
  return [
    `## ${title}`,
    textOf(recording),
    ...unusualNote(conditions, usual),
    `![${description}](images/${rollingChart})`,
    markdownTable([['', ...deploys.map(headingOf)], ...rows])
  ].join('\n\n')
}

/** The result of a deploy, for the terminal. */
export const rollingSummary = (deploy: Deploy): string =>
  `\n${headingOf(deploy)}\n${figures.map(([what, find]) => `${what.padEnd(42)}${find(deploy)}`).join('\n')}\n`

/** Shows the deploys whose clients do as they do by default. */
export function drawRolling({ clients, nodes, deploys }: Recording): string {
  const shown = deploys.filter(({ returnMs }) => returnMs > 0).slice(0, 2)
  const traces = (key: keyof Deploy['timeline']) =>
    shown.map(({ closeMs, timeline }) => ({ label: over(closeMs), values: timeline[key] }))
  return drawTimeline(`${title}, ${nodes} nodes, ${whole(clients)} clients`, description, [
    { axis: 'Clients without a connection', traces: traces('away') },
    { axis: 'Handshakes in each second, all nodes', traces: traces('handshakes') }
  ])
}
