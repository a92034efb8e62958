import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { root } from './root.mjs'

/**
 * Builds packages of this repository whose sources are newer than the build. If TypeScript is not installed, uses
 * esbuild, which removes the types.
 * @param {string[]} names the folders of the packages
 * @returns {Promise<boolean>} whether this succeeded; if not, the reason was printed and the exit code set
 */
export async function buildPackages(names) {
  if (existsSync(join(root, 'node_modules', 'typescript'))) return compile(names)
  for (const name of names) if (!isFresh(join(root, 'packages', name))) await transpile(join(root, 'packages', name))
  return true
}

function compile(names) {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
  const args = [join(typescript, 'bin', 'tsc'), '-b', ...names.map((name) => join('packages', name))]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exitCode = status ?? 1
  return status === 0
}

const sourcesOf = (folder) =>
  readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[cm]?ts$/.test(file))
    .map((file) => join(folder, 'src', file))

function isFresh(folder) {
  const built = join(folder, 'dist', 'index.mjs')
  return existsSync(built) && sourcesOf(folder).every((file) => statSync(file).mtimeMs <= statSync(built).mtimeMs)
}

/** Writes the same file for each source as the compiler. */
async function transpile(folder) {
  const { build } = createRequire(join(root, 'packages', 'demo', 'package.json'))('esbuild')
  const sources = sourcesOf(folder)
  for (const [extension, format] of [
    ['.ts', 'cjs'],
    ['.cts', 'cjs'],
    // Last, so that it is newer than everything that it was built from.
    ['.mts', 'esm']
  ]) {
    await build({
      absWorkingDir: root,
      entryPoints: sources.filter((file) => file.replace(/.*(?=\.\w+$)/, '') === extension),
      outdir: join(folder, 'dist'),
      outbase: join(folder, 'src'),
      outExtension: { '.js': extension.replace('t', 'j') },
      format,
      platform: 'node',
      target: 'node20',
      logLevel: 'warning',
      bundle: true,
      plugins: [{ name: 'one-file-each', setup: (plugins) => plugins.onResolve({ filter: /./ }, leave) }]
    })
  }
}

/** Keeps imports, but of the built files. */
function leave({ path, kind }) {
  if (kind === 'entry-point') return undefined
  return { path: path.replace(/^(\..*\.[cm]?)ts$/, '$1js'), external: true }
}
