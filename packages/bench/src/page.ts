import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRecording } from './endurance/recording.ts'
import { drawEndurance, enduranceChart } from './endurance/section.ts'
import { renderPage } from './report.ts'
import { readResults } from './results.ts'
import { chartFile, chartOf } from './section.ts'

const docs = join(__dirname, '../../../docs')

/** Writes the page and its charts to the docs folder, from the results of this run and earlier ones. */
export function writePage(): void {
  const [results, recording] = [readResults(), readRecording()]
  for (const result of results) writeImage(chartFile(result), chartOf(result))
  if (recording !== undefined) writeImage(enduranceChart, drawEndurance(recording.recording))
  writeFileSync(join(docs, 'benchmarks.md'), renderPage(results, recording))
}

const writeImage = (name: string, svg: string): void => writeFileSync(join(docs, 'images', name), svg)
