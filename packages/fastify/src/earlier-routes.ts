import type { FastifyInstance } from 'fastify'

/**
 * Finds the routes that were added before the plugin. They can't become endpoints, because Fastify calls `onRoute`
 * hooks only when a route is added.
 * @returns a message that names them; undefined if there are none
 */
export function earlierRoutes(app: FastifyInstance, plugin: string): string | undefined {
  const earlier = readRoutes(app.printRoutes({ commonPrefix: false, method: 'GET' }))
  if (earlier.length === 0) return undefined
  const [route, endpoint] = earlier.length === 1 ? ['route', 'a WebSocket endpoint'] : ['routes', 'WebSocket endpoints']
  return (
    `${plugin} loaded after the ${route} ${earlier.join(', ')}, which therefore cannot be ${endpoint}. ` +
    `Put \`await app.register(${plugin})\` above the routes: without \`await\`, it loads after all routes of the ` +
    'same function. Where you cannot use `await`, as in CommonJS, put the routes into a plugin of their own: ' +
    '`app.register(async (app) => { … })`.'
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
