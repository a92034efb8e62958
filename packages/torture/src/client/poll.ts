import { setTimeout as sleep } from 'node:timers/promises'
import { Gate } from './gate.ts'
import { isLoss } from './stream.ts'
import { judgeStatus, type Transport, urlOf, type Visitor } from './visit.ts'

/** What a poll is answered with. */
export interface Polled {
  readonly since: string
  readonly answers: readonly (string | { readonly base64: string })[]
}

/** Delay after a poll in which a topic was refused, in milliseconds. */
const refusedMs = 200

/** Connects with long polls. */
export const visitByPolls: Transport = (port, visitor) => {
  const leaving = new AbortController()
  const gate = new Gate()
  const { signal } = leaving
  signal.addEventListener('abort', () => gate.open())
  return {
    by: 'poll',
    ended: read(port, visitor, gate, signal).catch((error: unknown) => {
      if (!isLoss(error)) visitor.trouble(String(error))
    }),
    publish: undefined,
    // Each poll asks for all topics.
    askAgain: () => {},
    pause: () => gate.close(),
    resume: () => gate.open(),
    end: () => leaving.abort()
  }
}

async function read(port: number, visitor: Visitor, gate: Gate, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const topic of visitor.topics) visitor.ask(topic)
    const response = await fetch(urlOf(port, visitor), { signal })
    if (response.status !== 200) {
      judgeStatus(visitor, response.status, await response.text())
      return
    }
    const { since, answers } = (await response.json()) as Polled
    for (const answer of answers)
      visitor.hear(typeof answer === 'string' ? answer : Buffer.from(answer.base64, 'base64'))
    visitor.compare(since)
    await gate.opened
    const isRefused = answers.some((answer) => typeof answer === 'string' && answer.startsWith('error '))
    if (isRefused) await sleep(refusedMs, undefined, { signal })
  }
}
