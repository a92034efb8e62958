import { fileURLToPath } from 'node:url'
import { build } from 'vitepress'
import { writeReference } from './reference.mjs'

/**
 * Generates the API reference from the sources, and builds the site.
 *
 * @param {{ base: string, folder: string }} site the path of the site on its host, and the folder to write to
 */
export async function buildSite({ base, folder }) {
  await writeReference()
  await build(fileURLToPath(new URL('..', import.meta.url)), { base, outDir: folder })
}
