import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { publicPackages } from '../../../scripts/public-packages.mjs'
import { root } from '../../../scripts/root.mjs'

/** Entries with the interface of another library, which documents it. Our pages describe only the differences. */
const replacements = new Set([
  '@oneport/core/ws-compatibility',
  '@oneport/express/express-ws',
  '@oneport/fastify/fastify-websocket',
  '@oneport/hono/node-ws'
])

/**
 * The entries of the public packages: name to import, page in the API reference, source file, and folder of the
 * package.
 *
 * @returns {{ name: string, page: string, description: string, source: string, folder: string }[]}
 */
export function entries() {
  return publicPackages().flatMap(({ directory, manifest: { description, exports, name } }) => {
    const folder = join(root, directory)
    return Object.entries(exports).flatMap(([path, target]) => {
      const entry = name + path.slice(1)
      const [, module] = /^\.\/dist\/(.+)\.d\.mts$/.exec(target.import?.types ?? '') ?? []
      if (module === undefined || replacements.has(entry)) return []
      const sources = ['ts', 'mts'].map((extension) => join(folder, 'src', `${module}.${extension}`))
      const source = sources.find((file) => existsSync(file))
      if (source === undefined) throw new Error(`${name} exports ${path}, but has no source for it`)
      return { name: entry, page: entry.slice('@oneport/'.length).replace('/', '-'), description, source, folder }
    })
  })
}
