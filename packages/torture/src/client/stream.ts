import { EventReader } from './event-stream.ts'
import { Gate } from './gate.ts'
import { judgeFailure, judgeStatus, type Transport, urlOf, type Visitor } from './visit.ts'

/** Connects with Server-Sent Events. */
export const visitByStream: Transport = (port, visitor) => {
  const leaving = new AbortController()
  const gate = new Gate()
  const { signal } = leaving
  void signal.addEventListener('abort', () => gate.open())
  return {
    by: 'stream',
    ended: read(port, visitor, gate, signal).catch((error: unknown) => judgeFailure(visitor, 'a stream', error)),
    publish: undefined,
    // A stream asks for its topics only once.
    askAgain: () => leaving.abort(),
    change: () => leaving.abort(),
    pause: () => gate.close(),
    resume: () => gate.open(),
    end: () => leaving.abort()
  }
}

async function read(port: number, visitor: Visitor, gate: Gate, signal: AbortSignal): Promise<void> {
  const topics = [...visitor.wanted]
  for (const topic of topics) visitor.ask(topic)
  const response = await fetch(urlOf(port, visitor, topics), { headers: { Accept: 'text/event-stream' }, signal })
  if (response.status !== 200 || response.body === null) {
    judgeStatus(visitor, response.status, await response.text())
    return
  }
  const reader = response.body.getReader()
  signal.addEventListener('abort', () => void reader.cancel().catch(() => {}))
  const events = new EventReader()
  while (!signal.aborted) {
    const { done, value } = await reader.read()
    if (done) return
    for (const { id, data } of events.read(value)) {
      visitor.hear(data)
      if (id !== undefined) visitor.compare(topics, id)
    }
    await gate.opened
  }
}
