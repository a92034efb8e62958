/** Longer names are not misspelt options, and comparing them takes time. */
const longestName = 40

/**
 * The known name that was probably meant: one in another case; if one starts with the given name or the other way round,
 * the one with the longest beginning in common; one that differs in one or two letters, or one that contains the given name. Undefined if there is none.
 */
export function nearMiss(name: string, known: readonly string[]): string | undefined {
  if (name.length < 2 || name.length > longestName) return undefined
  const given = name.toLowerCase()
  const find = (isMeant: (one: string) => boolean) => known.find((one) => isMeant(one.toLowerCase()))
  return (
    find((one) => one === given) ??
    (find((one) => given.length > 2 && (one.startsWith(given) || given.startsWith(one))) &&
      longestCommon(given, known)) ??
    find((one) => distance(given, one) <= Math.min(2, given.length * 0.4)) ??
    find((one) => given.length > 4 && one.includes(given))
  )
}

/** The known name with the longest beginning in common with a given one in lower case. */
const longestCommon = (given: string, known: readonly string[]): string | undefined =>
  known.toSorted((one, other) => common(given, other) - common(given, one))[0]

/** How many letters two names have in common at their beginning. */
function common(given: string, one: string): number {
  const other = one.toLowerCase()
  let length = 0
  while (length < given.length && given[length] === other[length]) length++
  return length
}

/** The number in a string, such as an environment variable; undefined if there is none. */
export const numberIn = (value: unknown): string | undefined =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? value : undefined

/** The Levenshtein distance: how many letters to add, remove or replace to turn one word into the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1]
    for (const [column, other] of [...to].entries()) {
      const [above, left, corner] = [row[column + 1], next[column], row[column]] as [number, number, number]
      next.push(Math.min(above + 1, left + 1, corner + (letter === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1) as number
}
