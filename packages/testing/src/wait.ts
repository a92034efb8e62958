import { clearTimeout, setTimeout } from './clock.ts'

/** What a wait gives where its time is over first. */
export const overdue = Symbol('overdue')

/** Node takes a longer one for 1 ms, where this is weeks. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longestTimeout = 2_147_483_647

/**
 * Waits for a promise, for some time. The timer keeps the process alive meanwhile: a connection in memory does not.
 * What is overdue is for the caller to throw: thrown there, the error's stack leads to the line that waited.
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
