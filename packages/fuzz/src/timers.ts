const running = new Set<unknown>()

/** How many timers of programs and libraries run, unref'd ones too, which Node's own list leaves out. */
export const countTimers = (): number => running.size

/** Begins to count; call it before anything is loaded that may set a timer. */
export function watchTimers(): void {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis
  const forgetting =
    (clear: typeof clearTimeout): typeof clearTimeout =>
    (timer) => {
      running.delete(timer)
      clear(timer)
    }
  globalThis.setTimeout = Object.assign(
    (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      const timer = setTimeout(() => {
        running.delete(timer)
        run(...args)
      }, ms)
      running.add(timer)
      return timer
    },
    { __promisify__: setTimeout.__promisify__ }
  ) as typeof setTimeout
  globalThis.setInterval = ((run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = setInterval(run, ms, ...args)
    running.add(timer)
    return timer
  }) as typeof setInterval
  globalThis.clearTimeout = forgetting(clearTimeout)
  globalThis.clearInterval = forgetting(clearInterval)
}
