/** Something that must not be, with the lines of the logs that show it. */
export interface Contradiction {
  readonly what: string
  readonly lines: readonly string[]
}
