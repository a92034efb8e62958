import type { IncomingMessage, ServerResponse } from 'node:http'

const names = ['aborted', 'error', 'end', 'close', 'prefinish', 'finish'] as const

/** What the request and the response of one exchange emit, in order, with their values at that time. */
export function record(req: IncomingMessage, res: ServerResponse): readonly string[] {
  const events: string[] = []
  const values = (): string =>
    Object.entries({
      aborted: req.aborted,
      destroyed: req.destroyed,
      complete: req.complete,
      ended: res.writableEnded,
      finished: res.writableFinished,
      resDestroyed: res.destroyed
    })
      .filter(([, value]) => value)
      .map(([name]) => name)
      .join(' ')
  for (const name of names) {
    req.on(name, () => events.push(`req ${name} [${values()}]`))
    res.on(name, () => events.push(`res ${name} [${values()}]`))
  }
  return events
}

/** Polls in every turn of the event loop. */
export async function until(isSo: () => boolean | Promise<boolean>, what: () => unknown = () => isSo): Promise<void> {
  const giveUp = performance.now() + 4_000
  while (!(await isSo())) {
    if (performance.now() > giveUp) throw new Error(`not so after 4 s: ${JSON.stringify(what())}`)
    await new Promise(setImmediate)
  }
}
