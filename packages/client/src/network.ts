/**
 * Tells when the network or the page comes or goes. There is nothing to listen to outside of browsers and workers.
 *
 * @param onChange gets the events `online`, `pagehide`, `pageshow`, `visibilitychange` and `resume`
 * @param signal ends it
 */
export function watchNetwork(onChange: (event: Event) => void, signal: AbortSignal): void {
  for (const type of ['online', 'pagehide', 'pageshow']) globalThis.addEventListener?.(type, onChange, { signal })
  for (const type of ['visibilitychange', 'resume']) {
    globalThis.document?.addEventListener(type, onChange, { signal })
  }
}

/** Whether the platform knows that there is no network. */
export const isOffline = (): boolean => globalThis.navigator?.onLine === false
