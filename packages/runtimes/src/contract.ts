import { type Case, cases } from '@oneport/adapter-testsuite'
import { differenceIn } from './differences.ts'
import { runtime } from './runtime.ts'
import type { Adapter } from './subjects.ts'

/** The result of a case on this runtime. */
export type Verdict =
  | { readonly isExpected: true; readonly differs: boolean }
  | { readonly isExpected: false; readonly reason: unknown }

/** The time limit of one case, in milliseconds. */
const mostMs = 10_000

/** The contract for one adapter, whole or in its short form. */
export const casesFor = ({ subject, options, shortForm }: Adapter, isWhole: boolean): Case[] =>
  cases(subject, options).filter(({ name }) => isWhole || shortForm.some((way) => name.startsWith(`${way}: `)))

export async function judge({ name, run }: Case): Promise<Verdict> {
  const isKnown = differenceIn(name, runtime) !== undefined
  try {
    await within(run())
  } catch (reason) {
    return isKnown ? { isExpected: true, differs: true } : { isExpected: false, reason }
  }
  if (!isKnown) return { isExpected: true, differs: false }
  return { isExpected: false, reason: 'it passes, although src/differences.ts lists it as a difference' }
}

async function within(running: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${mostMs} ms`)), mostMs)
  })
  try {
    await Promise.race([running, late])
  } finally {
    clearTimeout(timer)
  }
}
