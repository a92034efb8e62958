/** Runs the cases in a page or a program that has a WebSocket of its own. */
import { ReconnectingWebSocket } from '../../src/index.ts'
import { cases, type WebSocketClass } from './cases.ts'

class Single extends ReconnectingWebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols, { maxRetries: 0 })
  }
}

/** Exact: it is a `WebSocket` also for the compiler. */
const reconnecting: WebSocketClass = ReconnectingWebSocket
const classes = { native: WebSocket, reconnecting, single: Single as WebSocketClass }

/** @returns what failed, and how */
async function runCases(name: keyof typeof classes, base: string): Promise<string[]> {
  const failures: string[] = []
  for (const { name: about, isSingle = false, run } of cases) {
    if (isSingle && name === 'reconnecting') continue
    const outcome = await Promise.race([
      Promise.resolve()
        .then(() => run(classes[name], base))
        .then(() => undefined, String),
      new Promise((resolve) => setTimeout(resolve, 5_000, 'no answer'))
    ])
    if (outcome !== undefined) failures.push(`${about}: ${outcome}`)
  }
  return failures
}

Object.assign(globalThis, { runCases })
