/**
 * Marks a plugin like `fastify-plugin` does: it is not encapsulated, so what it adds is also there for the instance
 * that registers it; other plugins can depend on its name; and other major versions of Fastify refuse to load it.
 * https://fastify.dev/docs/latest/Reference/Plugins/#handle-the-scope
 */
export function markPlugin<Plugin extends object>(plugin: Plugin, name: string): Plugin {
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: name,
    [Symbol.for('plugin-meta')]: { fastify: '5.x', name }
  })
}
