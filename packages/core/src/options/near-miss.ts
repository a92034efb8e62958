/** Longer ones are no misspelt options, and comparing takes time. */
const longestName = 40

/**
 * The known name that somebody probably meant: one in another case, with a part too many or too few at its end, with one or
 * two wrong letters, or one that has the name in it. Undefined where there is none.
 */
export function nearMiss(name: string, known: readonly string[]): string | undefined {
  if (name.length < 2 || name.length > longestName) return undefined
  const given = name.toLowerCase()
  const find = (isMeant: (one: string) => boolean) => known.find((one) => isMeant(one.toLowerCase()))
  return (
    find((one) => one === given) ??
    find((one) => given.length > 2 && (one.startsWith(given) || given.startsWith(one))) ??
    find((one) => distance(given, one) <= Math.min(2, given.length * 0.4)) ??
    find((one) => given.length > 4 && one.includes(given))
  )
}

/** The number that a text holds, as environment variables do; undefined where it holds none. */
export const numberIn = (value: unknown): string | undefined =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? value : undefined

/** How many letters have to be added, left out or replaced to make one word of the other (Levenshtein). */
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
