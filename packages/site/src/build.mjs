import { fileURLToPath } from 'node:url'
import { build } from 'vitepress'
import { writeReference } from './reference.mjs'

/**
 * Makes the API reference of the sources, and the site of all pages.
 *
 * @param {{ base: string, folder: string }} site its path on its host, and where it is written
 */
export async function buildSite({ base, folder }) {
  await writeReference()
  await build(fileURLToPath(new URL('..', import.meta.url)), { base, outDir: folder })
}
