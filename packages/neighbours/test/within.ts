import { setTimeout as sleep } from 'node:timers/promises'

/** The longest time that any step may take on a busy machine, in milliseconds. Only what hangs takes longer. */
const patienceMs = 3_000

/** Waits for something that should happen soon. Otherwise rejects with its description. */
export async function within<T>(what: string, happens: Promise<T>): Promise<T> {
  const waiting = new AbortController()
  const late = sleep(patienceMs, undefined, { signal: waiting.signal }).then(() => {
    throw new Error(`After ${patienceMs} ms this had not happened: ${what}`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([happens, late])
  } finally {
    waiting.abort()
  }
}
