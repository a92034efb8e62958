/** The size of an adapter with its dependencies, except the framework, and the size of core in a bundle. */
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { pack, root, run, temporaryFolder } from './tarballs.ts'

const folder = temporaryFolder()
const modules = join(folder, 'node_modules')
const manifestOf = (name: string) =>
  JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')) as { dependencies?: object }

beforeAll(async () => {
  await pack(join(folder, 'tarballs'))
  for (const name of ['core', 'express', 'fastify', 'hono', 'koa', 'nestjs']) {
    const target = join(modules, '@oneport', name)
    mkdirSync(target, { recursive: true })
    await run('tar', ['-xzf', join(folder, 'tarballs', `oneport-${name}.tgz`), '--strip-components', '1', '-C', target])
  }
  const ws = dirname(require.resolve('ws/package.json', { paths: [join(root, 'packages/core')] }))
  cpSync(ws, join(modules, 'ws'), { recursive: true, filter: (path) => path !== join(ws, 'node_modules') })
}, 60_000)

/** A package and all its direct and indirect dependencies, by name. */
function closureOf(name: string): string[] {
  const dependencies = Object.keys(manifestOf(name).dependencies ?? {})
  return [...new Set([name, ...dependencies.flatMap(closureOf)])]
}

/** The unpacked size of a package in bytes, as npm shows it. */
function unpacked(name: string): number {
  const files = readdirSync(join(modules, name), { recursive: true, withFileTypes: true })
  const sizes = files.filter((file) => file.isFile()).map((file) => statSync(join(file.parentPath, file.name)).size)
  return sizes.reduce((sum, size) => sum + size, 0)
}

test.each(['@oneport/express', '@oneport/fastify', '@oneport/hono', '@oneport/koa', '@oneport/nestjs'])(
  '%s installs core and ws besides itself, less than 1 MB in all',
  (name) => {
    const closure = closureOf(name)
    expect([...closure].sort()).toEqual(['@oneport/core', name, 'ws'].sort())
    expect(closure.reduce((sum, each) => sum + unpacked(each), 0)).toBeLessThan(1_000_000)
  }
)

test('core is at most 113 kB of a minified bundle, and brings nothing but ws', async () => {
  const { metafile } = await build({
    stdin: { contents: "module.exports = require('@oneport/core')", resolveDir: folder },
    bundle: true,
    minify: true,
    platform: 'node',
    // Optional native addons of ws.
    external: ['bufferutil', 'utf-8-validate'],
    metafile: true,
    write: false
  })
  const [{ bytes, inputs } = { bytes: 0, inputs: {} }] = Object.values(metafile.outputs)
  const partOf = (name: string): number =>
    Object.entries(inputs)
      .filter(([file]) => file.includes(`node_modules/${name}/`))
      .reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0)
  expect(bytes - partOf('@oneport/core') - partOf('ws')).toBeLessThan(500)
  expect(partOf('@oneport/core')).toBeLessThan(113_000)
})
