/**
 * Bundles @oneport/client, after `tsc -b` has compiled it to CommonJS with declarations: an ES module, in the place of
 * the one that imports CommonJS, and a minified script that has the global `oneport`.
 */
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from './root.mjs'

const folder = join(root, 'packages/client')
const common = {
  absWorkingDir: root,
  entryPoints: [join(folder, 'src/index.ts')],
  bundle: true,
  target: 'es2022',
  platform: 'neutral',
  metafile: true
}

/**
 * @param {{ build: import('esbuild').build }} [esbuild] where only the demo is installed, it is not found from here
 * @returns {Promise<string[]>} the files that the module was made from, relative to the root
 */
export async function bundleClient(esbuild) {
  const { build } = esbuild ?? (await import('esbuild'))
  const [{ metafile }] = await Promise.all([
    build({ ...common, format: 'esm', outfile: join(folder, 'dist/index.mjs') }),
    build({
      ...common,
      format: 'iife',
      globalName: 'oneport',
      minify: true,
      outfile: join(folder, 'dist/oneport.min.js')
    })
  ])
  return Object.keys(metafile.inputs)
}

if (resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await bundleClient()
