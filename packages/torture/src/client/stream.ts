import { EventReader } from './event-stream.ts'
import { Gate } from './gate.ts'
import { judgeStatus, type Transport, urlOf, type Visitor } from './visit.ts'

/** Connects with Server-Sent Events. */
export const visitByStream: Transport = (port, visitor) => {
  const leaving = new AbortController()
  const gate = new Gate()
  const { signal } = leaving
  void signal.addEventListener('abort', () => gate.open())
  return {
    by: 'stream',
    ended: read(port, visitor, gate, signal).catch((error: unknown) => {
      if (!isLoss(error)) visitor.trouble(String(error))
    }),
    publish: undefined,
    // A stream asks for its topics only once.
    askAgain: () => leaving.abort(),
    pause: () => gate.close(),
    resume: () => gate.open(),
    end: () => leaving.abort()
  }
}

/** Whether a request has failed since its connection was lost, or the client has left. */
export function isLoss(error: unknown): boolean {
  const { name, message } = error as Error
  return name === 'AbortError' || name === 'TimeoutError' || message === 'fetch failed' || message === 'terminated'
}

async function read(port: number, visitor: Visitor, gate: Gate, signal: AbortSignal): Promise<void> {
  for (const topic of visitor.topics) visitor.ask(topic)
  const response = await fetch(urlOf(port, visitor), { headers: { Accept: 'text/event-stream' }, signal })
  if (response.status !== 200 || response.body === null) {
    judgeStatus(visitor, response.status, await response.text())
    return
  }
  const events = new EventReader()
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    for (const { id, data } of events.read(chunk)) {
      visitor.hear(data)
      if (id !== undefined) visitor.compare(id)
    }
    await gate.opened
  }
}
