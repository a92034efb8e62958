/**
 * Loaded before a test file of @fastify/websocket: makes it test our plugin instead of its own, with our Fastify, and
 * sets a time limit for each case, since some never finish.
 */
const Module = require('node:module')
const { join } = require('node:path')
const runner = require('node:test')

const ours = {
  '..': join(__dirname, '../../src/fastify-websocket/index.cts'),
  fastify: require.resolve('fastify'),
  split2: require.resolve('split2')
}
const isTheirs = (file) => /websocket[\\/]test[\\/]/.test(file ?? '')

const resolve = Module._resolveFilename
Module._resolveFilename = (name, parent, ...rest) =>
  isTheirs(parent?.filename) && Object.hasOwn(ours, name) ? ours[name] : resolve(name, parent, ...rest)

const load = Module._load
Module._load = (name, parent, ...rest) => {
  const loaded = load(name, parent, ...rest)
  if (name !== 'node:test' || !isTheirs(parent?.filename)) return loaded
  return { ...loaded, test: (title, run) => runner.test(title, { timeout: 5_000 }, run) }
}

// One of the cases listens on this port, which may be in use.
const compile = Module.prototype._compile
Module.prototype._compile = function (code, file, ...rest) {
  const moved = isTheirs(file) ? code.replace('= 3000', `= ${process.env.FREE_PORT}`) : code
  return compile.call(this, moved, file, ...rest)
}
