import { drawPicture, escapeText, round, ticksFor, width } from './svg.ts'

/** What was measured each second. */
export interface Trace {
  readonly label: string
  readonly values: readonly number[]
}

/** Traces over one axis. There are colours for two. */
export interface Panel {
  readonly axis: string
  readonly traces: readonly Trace[]
  /** A line to stay below. */
  readonly limit?: number
}

const left = 60
const right = width - 90
const top = 76
const panelHeight = 130
const panelGap = 56

/** Panels one below the other over the same minutes, as SVG. */
export function drawTimeline(title: string, description: string, panels: readonly Panel[]): string {
  const seconds = Math.max(...panels.flatMap(({ traces }) => traces.map(({ values }) => values.length)))
  const minutes = ticksFor(seconds / 60)
  const x = scale(minutes, left, right)
  const height = top + panels.length * (panelHeight + panelGap)
  const lines = panels.flatMap((panel, index) => drawPanel(panel, top + index * (panelHeight + panelGap), minutes, x))
  return drawPicture(title, description, height, [
    ...lines,
    `<text class="axis" x="${(left + right) / 2}" y="${height - 16}" text-anchor="middle">Minutes</text>`
  ])
}

function drawPanel(
  { axis, traces, limit }: Panel,
  y: number,
  minutes: readonly number[],
  x: (value: number) => number
): string[] {
  const bottom = y + panelHeight
  const ticks = ticksFor(Math.max(limit ?? 0, ...traces.flatMap(({ values }) => values)))
  const up = scale(ticks, bottom, y)
  const horizontal = (kind: string, value: number): string =>
    `<line class="${kind}" x1="${left}" x2="${right}" y1="${up(value)}" y2="${up(value)}"/>`
  return [
    `<text class="axis" x="16" y="${y - 14}">${escapeText(axis)}</text>`,
    ...ticks.map(
      (tick) =>
        `${horizontal('grid', tick)}<text class="tick" x="${left - 8}" y="${up(tick) + 4}" text-anchor="end">${tick}</text>`
    ),
    ...minutes.map(
      (minute) => `<text class="tick" x="${x(minute)}" y="${bottom + 16}" text-anchor="middle">${minute}</text>`
    ),
    ...traces.map((trace, index) => drawTrace(trace, index === 0 ? 'trace' : 'trace second', x, up)),
    ...(limit === undefined ? [] : [horizontal('line', limit)])
  ]
}

function drawTrace(
  { label, values }: Trace,
  kind: string,
  x: (minute: number) => number,
  up: (value: number) => number
): string {
  const points = values.map((value, second) => `${x((second + 1) / 60)},${up(value)}`)
  const [endX, endY] = [x(values.length / 60), up(values.at(-1) ?? 0)]
  return `<polyline class="${kind}" points="${points.join(' ')}"/><text x="${round(endX + 8)}" y="${round(endY + 4)}">${escapeText(label)}</text>`
}

/** Positions of the values from zero to the last tick. */
function scale(ticks: readonly number[], from: number, to: number): (value: number) => number {
  const most = ticks.at(-1) as number
  return (value) => round(from + (value / most) * (to - from))
}
