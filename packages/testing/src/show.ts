/** Characters of a message that are shown in a sentence about it. */
const longest = 80

/** A message, for a sentence. */
export function show(data: string | Buffer): string {
  if (typeof data !== 'string') return `${data.length} bytes (${cut(data.toString('hex'))})`
  return cut(JSON.stringify(data))
}

const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

/** The same for several, of which the last ones are shown. */
export function showAll(all: readonly (string | Buffer)[]): string {
  const last = all.slice(-3).map(show).join(', ')
  return all.length > 3 ? `${all.length}, the last ones ${last}` : last
}

/** A value of the test, for a sentence about its mistake. It never throws: a circular object or a Proxy may. */
export function showValue(value: unknown): string {
  for (const print of [JSON.stringify, String]) {
    try {
      const text = print(value) as string | undefined
      if (text !== undefined) return cut(text)
    } catch {}
  }
  return `[unprintable ${typeof value}]`
}
