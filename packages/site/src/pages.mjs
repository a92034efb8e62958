import { statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { readJson, root } from '../../../scripts/root.mjs'
import { entries } from './entries.mjs'

const { description, repository } = readJson('package.json')

export const tagline = description
export const repositoryUrl = repository.url.replace(/^git\+|\.git$/g, '')

/** Whether a file is a page of the site: docs, three pages of the root, and the API reference. */
const isPage = (file) => /^(?:docs\/.+|packages\/site\/api\/.+|CHANGELOG|CONTRIBUTING|SECURITY)\.md$/.test(file)

export const notPages = [
  '!(CHANGELOG|CONTRIBUTING|SECURITY).md',
  '!(docs|packages)/**/*.md',
  'packages/!(site)/**',
  'packages/site/!(api)/**',
  'packages/site/*.md'
]

/** The path of a page on the site, given its path from the root. */
export const placeOf = (file) =>
  file
    .replace(/^(?:docs|packages\/site)\//, '')
    .replace(/(^|\/)README\.md$/, '$1index.md')
    .replace(/^[A-Z]+\.md$/, (name) => name.toLowerCase())

/**
 * Converts a link in a page for the site. Links to the source of an entry lead to its API reference. Links to other
 * files that are not on the site lead to the repository.
 *
 * @param {string} file the page, from the root of the repository
 * @param {string} link
 * @throws Error if the target does not exist
 */
export function linkOn(file, link) {
  if (/^(?:[a-z]+:|#)/.test(link)) return link
  const [, path, hash] = /^([^#]*)(.*)$/.exec(link)
  const target = posix.join(posix.dirname(file), path)
  const entry = entries().find(({ source }) => source === join(root, target))
  if (entry !== undefined) return `/api/${entry.page}${hash}`
  const found = statSync(join(root, target), { throwIfNoEntry: false })
  if (found === undefined) throw new Error(`${file} links to ${link}, which does not exist`)
  if (isPage(target)) return `/${placeOf(target).replace(/(?:index)?\.md$/, '')}${hash}`
  return `${repositoryUrl}/${found.isDirectory() ? 'tree' : 'blob'}/main/${target}${hash}`
}
