/** `npm run docs`: builds the site of the pages, without network once everything is installed. */
import { once } from 'node:events'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { endWithShell } from './end-with-shell.mjs'
import { installEverything } from './install/install.mjs'
import { hasDevelopmentDependencies } from './install/installed.mjs'
import { root } from './root.mjs'

const usage = `npm run docs -- [options]

  --open           serves the site on this machine once it is built, and prints the address
  --port <port>    for --open; by default a free one
  --base <path>    the path that the site has on its host; by default /
  --out <folder>   where it is written; by default packages/site/dist
`

/** @returns what was asked for; undefined where that makes no sense, which is said then */
function readArguments() {
  const option = (byDefault) => ({ type: 'string', default: byDefault })
  try {
    return parseArgs({
      options: {
        base: option('/'),
        open: { type: 'boolean', default: false },
        out: option(join(root, 'packages/site/dist')),
        port: option('0')
      }
    }).values
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${usage}`)
    process.exitCode = 1
    return undefined
  }
}

async function docs({ base, open, out, port }) {
  if (!hasDevelopmentDependencies() && !(await installEverything())) return
  const { buildSite } = await import('../packages/site/src/build.mjs')
  const folder = resolve(out)
  // Some hosts tell the path without the slash at its end.
  const site = { base: base.endsWith('/') ? base : `${base}/`, folder }
  await buildSite(site)
  process.stdout.write(`The site is in ${relative(process.cwd(), folder) || '.'}\n`)
  if (!open) return
  endWithShell()
  const { serveSite } = await import('../packages/site/src/serve.mjs')
  const server = serveSite(site).listen(Number(port), '127.0.0.1')
  await once(server, 'listening')
  process.stdout.write(`http://localhost:${server.address().port}${site.base}\n`)
}

const asked = readArguments()
if (asked !== undefined) await docs(asked)
