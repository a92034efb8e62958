import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, buildSync } from 'esbuild'

/** The client as a script for pages, which gives them the global `oneport`. */
export const clientScript = (): string | undefined =>
  buildSync({
    entryPoints: [join(__dirname, '../src/index.ts')],
    bundle: true,
    format: 'iife',
    globalName: 'oneport',
    target: 'es2022',
    write: false
  }).outputFiles[0]?.text

/** The size of what a page loads for a program, minified and compressed, in bytes. */
export async function sizeOf(program: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: __dirname },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    logLevel: 'error'
  })
  const [{ contents } = { contents: new Uint8Array() }] = outputFiles
  return gzipSync(contents, { level: 9 }).length
}
