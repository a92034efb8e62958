import { spawnSync } from 'node:child_process'
import { buildSync } from 'esbuild'

const program = `
  import { createServer } from 'node:http'
  import { acceptWebSocket, attach } from '@oneport/core'
  const server = createServer((req, res) => acceptWebSocket(req, res, () => {}))
  attach(server).detach()
  console.log('attached')
`

// An ES module has no `__filename`, and no `require` except the one that bundles for Node define.
const banner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

test.each([
  ['an ES module', 'esm', banner],
  ['a CommonJS module', 'cjs', '']
] as const)('core works in a bundle that is %s', (_what, format, js) => {
  const { outputFiles } = buildSync({
    stdin: { contents: program, resolveDir: __dirname },
    bundle: true,
    platform: 'node',
    format,
    banner: { js },
    write: false,
    logLevel: 'error'
  })
  const type = format === 'esm' ? 'module' : 'commonjs'
  const { stdout, stderr } = spawnSync(process.execPath, [`--input-type=${type}`, '-'], {
    input: outputFiles[0]?.text,
    encoding: 'utf8'
  })
  expect({ stdout, stderr }).toEqual({ stdout: 'attached\n', stderr: '' })
})
