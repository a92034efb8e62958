import { numberIn } from './near-miss.ts'
import { show } from './show.ts'

export function expected(what: string, wanted: string, got: unknown): TypeError {
  const near = wanted.includes('number') ? numberIn(got) : undefined
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return new TypeError(`postgresBackplane: ${what}: expected ${wanted}; got ${show(got)}${hint}`)
}
