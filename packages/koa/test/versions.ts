import koa3 from 'koa'
// @ts-expect-error Koa 2 is installed under another name; its types would be those of Koa 3
import koa2 from 'koa2'

/** Either version of Koa. The parts that tests use have the same types. */
export type KoaModule = typeof koa3

/** For `describe.each`. */
export const versions: [name: string, Koa: KoaModule][] = [
  ['Koa 3', koa3],
  ['Koa 2', koa2 as KoaModule]
]
