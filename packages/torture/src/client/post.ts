import { judgeFailure, judgeStatus, type Outgoing, type Visitor } from './visit.ts'

/**
 * Publishes with a POST.
 * @returns the offset; undefined if the message was not published, or that is unknown
 */
export async function post(
  port: number,
  visitor: Pick<Visitor, 'name' | 'answerMs' | 'trouble'>,
  { topic, id, payload }: Outgoing,
  signal: AbortSignal
): Promise<number | undefined> {
  const query = new URLSearchParams({ client: visitor.name, topic, id })
  const type = Buffer.isBuffer(payload) ? 'application/octet-stream' : 'text/plain; charset=utf-8'
  try {
    const response = await fetch(`http://127.0.0.1:${port}/topics?${query}`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body: payload as string,
      signal: AbortSignal.any([signal, AbortSignal.timeout(visitor.answerMs)])
    })
    if (response.status === 200) return ((await response.json()) as { offset: number }).offset
    judgeStatus(visitor, response.status, await response.text())
  } catch (error) {
    judgeFailure(visitor, `a POST of ${id}`, error)
  }
  return undefined
}
