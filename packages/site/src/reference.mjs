import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application } from 'typedoc'
import { entries } from './entries.mjs'
import { referencePage } from './reference-page.mjs'

/** The folder to write the pages to. */
const reference = fileURLToPath(new URL('../api', import.meta.url))

/** Sources that list the types of a framework which an entry adds to, by the page of the entry. */
const additions = { fastify: fileURLToPath(new URL('fastify.ts', import.meta.url)) }

/**
 * Writes a Markdown page for each entry of the public packages, with the types, defaults and comments of its exports.
 */
export async function writeReference() {
  const all = entries()
  const app = await Application.bootstrap({
    entryPoints: [...all.map(({ source }) => source), ...Object.values(additions)],
    tsconfig: fileURLToPath(new URL('../tsconfig.json', import.meta.url)),
    // The build checks the types.
    skipErrorChecking: true,
    excludeExternals: true,
    excludePrivate: true,
    excludeInternal: true,
    readme: 'none',
    sort: ['source-order'],
    // Overloads share a comment, so it may describe parameters that one of them does not have.
    validation: false,
    logLevel: 'Error'
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('TypeDoc could not read the sources of the packages')
  const moduleOf = (file) => {
    const module = project.children?.find(({ sources }) => normalize(sources?.[0]?.fullFileName ?? '') === file)
    if (module === undefined) throw new Error(`TypeDoc found nothing in ${file}`)
    return module
  }
  const modules = all.map((entry) => ({
    ...entry,
    module: moduleOf(entry.source),
    additions: additions[entry.page] && moduleOf(additions[entry.page])
  }))
  rmSync(reference, { recursive: true, force: true })
  mkdirSync(reference, { recursive: true })
  for (const one of modules) writeFileSync(`${reference}/${one.page}.md`, referencePage(one, modules))
}
