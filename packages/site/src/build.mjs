import { fileURLToPath } from 'node:url'
import { build } from 'vitepress'
import { writeReference } from './reference.mjs'

const site = fileURLToPath(new URL('..', import.meta.url))

/**
 * Makes the API reference of the sources, and the site of all pages.
 *
 * @param {{ base: string, outDir: string }} options the path of the site on its host, and where it is written
 */
export async function buildSite(options) {
  await writeReference()
  await build(site, options)
}
