import { setTimeout as sleep } from 'node:timers/promises'
import { Gate } from './gate.ts'
import { judgeFailure, judgeStatus, type Transport, urlOf, type Visitor } from './visit.ts'

/** What a poll is answered with. */
export interface Polled {
  readonly since: string
  readonly answers: readonly (string | { readonly base64: string })[]
}

/** How long a server waits for a message, in milliseconds. */
const waitMs = 25_000

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
    ended: read(port, visitor, gate, signal).catch((error: unknown) => judgeFailure(visitor, 'a poll', error)),
    publish: undefined,
    // Each poll asks for all topics.
    askAgain: () => {},
    // One that waits would not know.
    change: () => leaving.abort(),
    pause: () => gate.close(),
    resume: () => gate.open(),
    end: () => leaving.abort()
  }
}

async function read(port: number, visitor: Visitor, gate: Gate, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const topics = [...visitor.wanted]
    for (const topic of topics) visitor.ask(topic)
    const response = await fetch(urlOf(port, visitor, topics), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(waitMs + visitor.answerMs)])
    })
    if (response.status !== 200) {
      judgeStatus(visitor, response.status, await response.text())
      return
    }
    const { since, answers } = (await response.json()) as Polled
    for (const answer of answers)
      visitor.hear(typeof answer === 'string' ? answer : Buffer.from(answer.base64, 'base64'))
    visitor.compare(topics, since)
    await gate.opened
    const isRefused = answers.some((answer) => typeof answer === 'string' && answer.startsWith('error '))
    if (isRefused) await sleep(refusedMs, undefined, { signal })
  }
}
