import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRecording } from './endurance/recording.ts'
import { drawEndurance, enduranceChart } from './endurance/section.ts'
import { renderPage } from './report.ts'
import { readResults } from './results.ts'
import { readRolling } from './rolling/recording.ts'
import { drawRolling, rollingChart } from './rolling/section.ts'
import { chartFile, chartOf } from './section.ts'

const docs = join(__dirname, '../../../docs')

/** Writes the page and its charts to the docs folder, from the results of this run and earlier ones. */
export function writePage(): void {
  const [results, recording, rolling] = [readResults(), readRecording(), readRolling()]
  for (const result of results) writeImage(chartFile(result), chartOf(result))
  if (recording !== undefined) writeImage(enduranceChart, drawEndurance(recording.recording))
  if (rolling !== undefined) writeImage(rollingChart, drawRolling(rolling.recording))
  writeFileSync(join(docs, 'benchmarks.md'), renderPage(results, recording, rolling))
}

const writeImage = (name: string, svg: string): void => writeFileSync(join(docs, 'images', name), svg)
