import { type Bar, drawChart } from '../src/chart.ts'
import { ticksFor } from '../src/svg.ts'

const bar = (label: string, value: number): Bar => ({ label, value, lower: value, upper: value, kind: 'peer' })

describe('the ticks of an axis', () => {
  test.each([
    [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [2.05, [0, 0.5, 1, 1.5, 2, 2.5]],
    [0.3, [0, 0.1, 0.2, 0.3]],
    [63.8, [0, 20, 40, 60, 80]],
    [0, [0, 1]]
  ])('up to %p are round numbers', (largest, ticks) => {
    expect(ticksFor(largest)).toEqual(ticks)
  })

  test.each([0.001, 0.7, 1.3, 4.9, 250, 10_000])('reach %p', (largest) => {
    const ticks = ticksFor(largest)
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(largest)
    expect(ticks.length).toBeLessThanOrEqual(7)
  })
})

describe('a chart', () => {
  const svg = drawChart({
    title: 'Echo',
    axis: 'ws = 1',
    bars: [bar('ws', 1), bar('a < b & c', 0.5)],
    line: 1,
    digits: 2
  })
  const widths = [...svg.matchAll(/<rect class="peer" [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width))

  test('has a bar for each value, of matching length', () => {
    expect(widths).toHaveLength(2)
    expect(widths[1]).toBeCloseTo((widths[0] as number) / 2, 0)
  })

  test('names its axis, its bars and their values', () => {
    for (const text of ['>ws = 1<', '>Echo<', '>ws<', '>1.00<', '>0.50<']) expect(svg).toContain(text)
  })

  test('escapes text for SVG', () => {
    expect(svg).toContain('>a &lt; b &amp; c<')
  })

  test("follows the reader's colour scheme, on a background of its own", () => {
    expect(svg).toContain('@media (prefers-color-scheme: dark)')
    expect(svg).toContain('<rect class="paper"')
  })
})
