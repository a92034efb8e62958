import express5 from 'express'
// @ts-expect-error Express 4 is installed under another name; its types would be those of Express 5
import express4 from 'express4'

/** Either version of Express. The parts that tests use have the same types. */
export type ExpressModule = typeof express5

/** For `describe.each`. */
export const versions: [name: string, express: ExpressModule][] = [
  ['Express 5', express5],
  ['Express 4', express4 as ExpressModule]
]
