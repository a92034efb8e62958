import type { FastifyInstance } from 'fastify'

/**
 * Fastify tells of a route once, when it is added; those that came before the plugin can't become endpoints.
 * @returns a sentence that names them; undefined where there are none
 */
export function earlierRoutes(app: FastifyInstance, plugin: string): string | undefined {
  const earlier = readRoutes(app.printRoutes({ commonPrefix: false, method: 'GET' }))
  if (earlier.length === 0) return undefined
  return (
    `${plugin} must be registered before the routes: ${earlier.join(', ')} came first and could not become WebSocket ` +
    `endpoints. Put \`await app.register(${plugin})\`, with its 'await', above them.`
  )
}

/** The paths in Fastify's picture of its routes, the one public list of them: a tree, four characters a level. */
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
