/** A longer name is not a misspelt option, and comparing takes time. */
const longestName = 40

/**
 * The known name that was probably meant: one that differs in case, has a longer or shorter ending, has one or two
 * other letters, or contains the given name. Undefined if there is none.
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

/** The number in a string, as from an environment variable; undefined if it is not one. */
export const numberIn = (value: unknown): string | undefined =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? value : undefined

/** The number of letters to insert, delete or replace to turn one word into the other (Levenshtein distance). */
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
