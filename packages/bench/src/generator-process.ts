import { answerParent } from './answers.ts'
import { type Job, type Outcome, run } from './generator/job.ts'

/** The cost of a job. */
export interface Effort extends Outcome {
  readonly elapsedMs: number
  readonly cpuMs: number
}

async function measure(job: Job): Promise<Effort> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  const outcome = await run(job)
  const elapsedMs = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  return { elapsedMs, cpuMs: (user + system) / 1_000, ...outcome }
}

answerParent(measure)
