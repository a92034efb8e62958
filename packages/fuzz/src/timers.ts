const running = new Set<unknown>()

/** The number of running timers. Unlike Node's own list, it includes unref'd ones. */
export const countTimers = (): number => running.size

/** Starts counting. Has to run before anything that may set a timer is loaded. */
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
