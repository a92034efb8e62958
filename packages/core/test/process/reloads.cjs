// copies.test.ts starts this program with --expose-gc and the built package: a dev server that loads core at each
// reload.
const { createServer } = require('node:http')
const { dirname } = require('node:path')

const folder = dirname(require.resolve('@oneport/core'))

function load() {
  for (const file of Object.keys(require.cache)) if (file.startsWith(folder)) delete require.cache[file]
  module.children.length = 0
  require('@oneport/core').attach(createServer())
}

for (let reload = 0; reload < 20; reload++) load()
setImmediate(() => {
  globalThis.gc()
  const { copies } = globalThis[Symbol.for('oneport.registry@1')]
  console.log([...copies].filter((copy) => copy.deref() !== undefined).length < 5 ? 'collected' : 'kept')
})
