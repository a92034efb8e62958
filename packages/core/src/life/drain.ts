import { CloseCode } from '../close-code.ts'
import { checking, checkNames, checkReason, expected } from '../options/checks.ts'
import type { Connections } from './connections.ts'
import { connectionOf } from './contained-socket.ts'
import type { HttpClient } from './http-clients.ts'

/** How to close the open connections. */
export interface DrainOptions {
  /**
   * The close code. 1001 means that the server is going away, 1012 that it restarts and clients should connect again.
   * RFC 6455 §7.4.1.
   * @default 1001
   */
  code?: number | undefined
  /**
   * The close reason, at most 123 bytes of UTF-8.
   * @default ''
   */
  reason?: string | undefined
  /**
   * Time over which to spread the closes evenly, in milliseconds, so that clients do not all reconnect at once. `0`
   * closes all connections at once.
   * @default 0
   */
  spreadMs?: number | undefined
  /**
   * Time after which to terminate connections that are still open, in milliseconds from the call.
   * @default spreadMs + 5_000
   */
  deadlineMs?: number | undefined
}

/** How the connections ended. */
export interface DrainResult {
  /** Number of connections that closed before the deadline. */
  readonly closed: number
  /** Number of connections that were terminated at the deadline. */
  readonly terminated: number
}

/** A longer timer fires at once (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args). */
const longestTimerMs = 2 ** 31 - 1

/**
 * How often to close some connections, in milliseconds. Spreads the closes evenly without a timer for each connection.
 */
const sliceMs = 20

/**
 * A process that was busy catches up at most this many times faster, because after a burst all clients return at once.
 */
const catchUpPace = 2

/**
 * Checks the options of `drain` and adds defaults.
 * @throws TypeError that names the option, what was expected, and what it got
 */
export function resolveDrainOptions(options: DrainOptions = {}): {
  [Name in keyof DrainOptions]-?: NonNullable<DrainOptions[Name]>
} {
  checkNames(options, ['code', 'reason', 'spreadMs', 'deadlineMs'] satisfies (keyof DrainOptions)[])
  const { code = CloseCode.GOING_AWAY, reason = '', spreadMs = 0, deadlineMs = spreadMs + 5_000 } = options
  checkDuration('spreadMs', spreadMs)
  checkDuration('deadlineMs', deadlineMs)
  if (!isSendable(code)) throw expected('code', 'a close code that may be sent', code)
  checkReason(reason)
  return { code, reason, spreadMs, deadlineMs }
}

/**
 * Checks the options of `drain`, for adapters that drain later than they get their options.
 * @param call the function that they were passed to, for the message
 * @throws TypeError that names the call, the option, what was expected, and what it got
 */
export const checkDrainOptions = (options: DrainOptions | undefined, call: string): void =>
  void checking(call, () => resolveDrainOptions(options), checkDrainOptions)

/** Closes all connections. Resolves when none is open. */
export async function drain(connections: Connections, options: DrainOptions = {}): Promise<DrainResult> {
  const { code, reason, spreadMs, deadlineMs } = resolveDrainOptions(options)
  const farewell = connections.startDraining(code, reason)
  let terminated = 0
  const stopClosing = closeEvenly([...farewell.sockets], spreadMs, (socket) =>
    connectionOf(socket)?.close(code, reason)
  )
  // They need no time to say goodbye, so nobody waits for them.
  const expel = (client: HttpClient): void => client.expel(503)
  const stopExpelling = closeEvenly([...connections.http], spreadMs, expel)
  const deadline = setTimeout(() => {
    stopClosing()
    stopExpelling()
    for (const client of connections.http) expel(client)
    terminated += connections.cut(farewell)
  }, deadlineMs)
  // Pending handshakes get 503 when the application accepts them. They have the same deadline.
  void connections.idle().then(() => clearTimeout(deadline))
  await farewell.empty()
  connections.endDraining(farewell)
  deadline.unref()
  stopClosing()
  return { closed: farewell.count - terminated, terminated }
}

function closeEvenly<One>(all: readonly One[], spreadMs: number, close: (one: One) => void): () => void {
  if (spreadMs === 0 || all.length === 0) {
    for (const one of all) close(one)
    return () => {}
  }
  const share = (ms: number): number => Math.ceil((all.length * ms) / spreadMs)
  const start = performance.now()
  let last = start
  let next = 0
  const timer = setInterval(() => {
    const now = performance.now()
    const most = share(catchUpPace * Math.min(now - last, 2 * sliceMs))
    const due = Math.min(all.length, share(now - start), next + most)
    last = now
    while (next < due) close(all[next++] as One)
    if (next === all.length) clearInterval(timer)
  }, sliceMs)
  return () => clearInterval(timer)
}

/** Whether a close frame may contain this code (RFC 6455 §7.4). */
const isSendable = (code: number): boolean =>
  Number.isInteger(code) &&
  ((code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999))

function checkDuration(name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0 && value <= longestTimerMs) return
  throw expected(name, `a number of milliseconds from 0 to ${longestTimerMs}`, value)
}
