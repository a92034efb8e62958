import { drawTimeline } from '../src/timeline.ts'

describe('a timeline', () => {
  const rising = Array.from({ length: 120 }, (_, second) => second + 1)
  const svg = drawTimeline('Endurance', 'Over time', [
    { axis: 'Memory in MB', traces: [{ label: 'RSS', values: rising }] },
    { axis: 'Delay < 50', traces: [{ label: 'Delay', values: rising.map(() => 10) }], limit: 50 }
  ])
  const traces = [...svg.matchAll(/<polyline class="trace" points="([^"]*)"/g)].map(([, points = '']) =>
    points.split(' ').map((point) => point.split(',').map(Number))
  )

  test('has a point for each second, from left to right', () => {
    expect(traces.map((points) => points.length)).toEqual([120, 120])
    const xs = traces[0]?.map(([x]) => x as number) ?? []
    expect(xs.toSorted((a, b) => a - b)).toEqual(xs)
  })

  test('rises with its values', () => {
    const ys = traces[0]?.map(([, y]) => y as number) ?? []
    expect(ys.toSorted((a, b) => b - a)).toEqual(ys)
    expect(new Set(traces[1]?.map(([, y]) => y)).size).toBe(1)
  })

  test('draws the limit above what stays below it', () => {
    const [, limit] = /<line class="line"[^>]* y1="([\d.]+)"/.exec(svg) ?? []
    expect(Number(limit)).toBeLessThan(traces[1]?.[0]?.[1] as number)
  })

  test('names its panels, its traces and the minutes', () => {
    for (const text of ['>Memory in MB<', '>Delay &lt; 50<', '>RSS<', '>Minutes<', '>2<']) expect(svg).toContain(text)
  })
})
