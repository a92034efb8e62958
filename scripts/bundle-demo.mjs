import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bundleClient } from './bundle-client.mjs'
import { stampFile } from './install/installed.mjs'
import { readJson, root } from './root.mjs'

const demo = join(root, 'packages', 'demo')
const bundle = join(demo, 'dist', 'demo.cjs')
/** The files that the bundle was made from. */
const inputsFile = join(demo, 'dist', 'demo.inputs.json')

/** The module that the page loads, which the compiler overwrites with one for Node.js. */
const client = 'packages/client/dist/index.mjs'

/**
 * Bundles the sources of the demo and of the packages in this repository that it uses, and the client for its page, unless
 * the bundle is newer than they are. Compiling them would need TypeScript and the types of all dependencies; esbuild ignores
 * types.
 * @returns {Promise<string | undefined>} its URL; undefined if that failed, with the reason printed and the exit code set
 */
export async function bundleDemo() {
  try {
    if (!isFresh()) await build()
    return pathToFileURL(bundle).href
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
    return undefined
  }
}

function isFresh() {
  if (!existsSync(bundle) || !existsSync(inputsFile)) return false
  const { mtimeMs } = statSync(bundle)
  const inputs = JSON.parse(readFileSync(inputsFile, 'utf8')).map((file) => join(root, file))
  return [stampFile, fileURLToPath(import.meta.url), ...inputs].every(
    (file) => existsSync(file) && statSync(file).mtimeMs <= mtimeMs
  )
}

async function build() {
  const require = createRequire(join(demo, 'package.json'))
  const { dependencies } = require('./package.json')
  const esbuild = require('esbuild')
  const inputs = await bundleClient(esbuild)
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [join(demo, 'src', 'main.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    logLevel: 'silent',
    metafile: true,
    // The demo's own dependencies are found from the folder of the bundle.
    external: Object.keys(dependencies).filter((name) => !name.startsWith('@oneport/')),
    plugins: [{ name: 'our-sources', setup: (build) => build.onResolve({ filter: /^@oneport\// }, sourceOf) }]
  })
  writeFileSync(inputsFile, JSON.stringify([client, ...inputs, ...Object.keys(metafile.inputs)]))
}

/** The source of an export of our packages: `./dist/index.js` is built from `src/index.ts`. */
function sourceOf({ path }) {
  const [, name, ...subpath] = path.split('/')
  const { exports } = readJson(`packages/${name}/package.json`)
  const built = exports[['.', ...subpath].join('/')].require.default
  return { path: join(root, 'packages', name, built.replace('./dist/', 'src/').replace(/js$/, 'ts')) }
}
