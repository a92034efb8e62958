/**
 * Makes what is published of core, in bundle/. All JavaScript is in one file, `core.js`, and each subpath exports its part:
 * Node loads one file faster than seventy, and bundlers can shorten the names in it. Beside it are the declarations that the
 * subpaths need. pnpm calls this before it packs; in the workspace, everybody uses what `tsc` makes.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const [src, dist, bundle] = ['src', 'dist', 'bundle'].map((folder) => join(here, folder))
const subpaths = ['index', 'adapter', 'ws-compatibility']
const options = { bundle: true, packages: 'external', platform: 'node', target: 'node20' }

const written = new Set()

/** Writes a file in one step: another process may be packing it. */
function write(file, text) {
  const draft = join(here, `.draft.${process.pid}`)
  writeFileSync(draft, text)
  mkdirSync(dirname(join(bundle, file)), { recursive: true })
  renameSync(draft, join(bundle, file))
  written.add(join(file))
}

/** What a source exports, beside types. */
async function exportsOf(name) {
  const entryPoints = [join(src, `${name}.ts`)]
  const { metafile } = await build({ ...options, entryPoints, format: 'esm', metafile: true, write: false })
  const [{ exports }] = Object.values(metafile.outputs)
  return exports
}

/** Takes over a declaration, and those that it imports. */
function declare(file) {
  if (written.has(join(file))) return
  const text = readFileSync(join(dist, file), 'utf8')
  write(file, text)
  for (const [, imported, kind] of text.matchAll(/ from '(\.[^']+)\.(m?)ts'/g)) {
    declare(join(dirname(file), `${imported}.d.${kind}ts`))
  }
}

const contents = subpaths.map((name) => `export * from './${name}.ts'\n`).join('')
const stdin = { contents, resolveDir: src, sourcefile: 'core.ts' }
const { outputFiles } = await build({ ...options, stdin, format: 'cjs', write: false })
write('core.js', outputFiles[0].text)
for (const subpath of subpaths) {
  const names = await exportsOf(subpath)
  const commonJs = [
    "'use strict'",
    "Object.defineProperty(exports, '__esModule', { value: true })",
    "const core = require('./core.js')",
    ...names.map((name) => `exports.${name} = core.${name}`)
  ]
  write(`${subpath}.js`, `${commonJs.join('\n')}\n`)
  write(`${subpath}.mjs`, `export { ${names.join(', ')} } from './${subpath}.js'\n`)
  declare(`${subpath}.d.ts`)
  declare(`${subpath}.d.mts`)
}

// What an earlier call has left.
for (const entry of readdirSync(bundle, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (entry.isFile() && !written.has(relative(bundle, path))) rmSync(path, { force: true })
}
