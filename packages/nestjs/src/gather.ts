let results: Promise<unknown>[] | undefined

/**
 * Makes Nest call methods of gateways, and returns a promise of what they return. Nest ignores that: it would not notice
 * a rejection, and what a method throws would end the process.
 */
export function gather(call: () => void): Promise<unknown> | undefined {
  const outer = results
  const gathered: Promise<unknown>[] = []
  results = gathered
  try {
    call()
  } finally {
    results = outer
  }
  return gathered.length === 0 ? undefined : Promise.all(gathered)
}

/**
 * Calls a method of a gateway, inside `gather`.
 * @param onLateError called if the method fails that Nest calls later, because it first has to create the gateway
 */
export function callGathered(method: () => unknown, onLateError: (error: unknown) => void): void {
  const result = new Promise((resolve) => resolve(method()))
  if (results === undefined) result.catch(onLateError)
  else results.push(result)
}
