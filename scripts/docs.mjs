/**
 * Builds the site of the pages: `npm run docs`. It needs no network.
 *
 *   --open          serves it on this machine, and prints the address
 *   --port <port>   the port for that; by default a free one
 *   --base <path>   the path that the site will have on its host; `/` by default
 *   --out <folder>  where it is written; packages/site/dist by default
 */
import { once } from 'node:events'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const site = fileURLToPath(new URL('../packages/site', import.meta.url))

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: '/' },
    open: { type: 'boolean', default: false },
    out: { type: 'string', default: join(site, 'dist') },
    port: { type: 'string', default: '0' }
  }
})

/** Some hosts tell the path without the slash at its end. */
const base = values.base.endsWith('/') ? values.base : `${values.base}/`

const { buildSite } = await import(pathToFileURL(join(site, 'src/build.mjs'))).catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
  process.stderr.write('What builds the site is not installed: npm run setup\n')
  process.exit(1)
})
await buildSite({ base, outDir: values.out })
process.stdout.write(`The site is in ${relative(process.cwd(), values.out) || '.'}\n`)

if (values.open) {
  const { serveSite } = await import(pathToFileURL(join(site, 'src/serve.mjs')))
  const server = serveSite({ base, folder: values.out }).listen(Number(values.port), '127.0.0.1')
  await once(server, 'listening')
  process.stdout.write(`http://localhost:${server.address().port}${base}\n`)
}
