/**
 * Marks a plugin as `fastify-plugin` does: what it adds belongs to the instance that registers it, and to the scopes below;
 * other plugins can depend on its name; and a Fastify of another major version refuses to load it.
 * https://fastify.dev/docs/latest/Reference/Plugins/#handle-the-scope
 */
export function markPlugin<Plugin extends object>(plugin: Plugin, name: string): Plugin {
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: name,
    [Symbol.for('plugin-meta')]: { fastify: '5.x', name }
  })
}
