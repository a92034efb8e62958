/** `npm run docs`: builds the website. It needs no network once everything is installed. */
import { once } from 'node:events'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { endWithShell } from './end-with-shell.mjs'
import { installEverything } from './install/install.mjs'
import { hasDevelopmentDependencies } from './install/installed.mjs'
import { root } from './root.mjs'

const usage = `npm run docs -- [options]

  --open           after the build, serve the site on this machine and print its address
  --port <port>    port for --open; by default a free one
  --base <path>    path of the site on its host; by default /
  --out <folder>   folder to write to; by default packages/site/dist
`

/** @returns the options; undefined if they are invalid, and then an error was printed */
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
  // Some hosts omit the slash at the end.
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
