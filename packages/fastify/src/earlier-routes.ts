import type { FastifyInstance } from 'fastify'

/**
 * Finds the routes that were added before the plugin. They can't become endpoints, because Fastify calls `onRoute`
 * hooks only when a route is added.
 * @returns a message that names them; undefined if there are none
 */
export function earlierRoutes(app: FastifyInstance, plugin: string): string | undefined {
  const earlier = readRoutes(app.printRoutes({ commonPrefix: false, method: 'GET' }))
  if (earlier.length === 0) return undefined
  return (
    `${plugin} must be registered before the routes, but these were added first: ${earlier.join(', ')}. ` +
    `Put \`await app.register(${plugin})\`, with its 'await', above them.`
  )
}

/**
 * The paths in the output of `printRoutes`, Fastify's only public list of its routes: a tree, four characters a level.
 */
function readRoutes(tree: string): string[] {
  const above: string[] = []
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', segment = '', methods] = /^([│├└─ ]+)(.*?)( \([A-Z, ]+\)(?: \{.*\})?)?$/.exec(line) ?? []
    const level = indent.length / 4
    if (segment === '') return []
    above[level] = (above[level - 1] ?? '') + segment
    return methods === undefined ? [] : [above[level]]
  })
}
