import { clearTimeout, setTimeout } from './clock.ts'

/** The result of a wait that timed out. */
export const overdue = Symbol('overdue')

/** Node replaces a longer timeout by 1 ms. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longestTimeout = 2_147_483_647

/**
 * Waits for a promise, with a timeout. The timer keeps the process alive, because a connection in memory does not. If
 * the time is over, the caller throws the error, so that its stack leads to the line of the test.
 */
export async function within<Result>(timeoutMs: number, promise: Promise<Result>): Promise<Result | typeof overdue> {
  if (timeoutMs > longestTimeout) return promise
  let timer: NodeJS.Timeout | undefined
  const end = new Promise<typeof overdue>((resolve) => {
    timer = setTimeout(() => resolve(overdue), timeoutMs)
  })
  try {
    return await Promise.race([promise, end])
  } finally {
    clearTimeout(timer)
  }
}
