import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { root } from '../../../scripts/root.mjs'

const file = 'docs/README.md'

/**
 * Reads the table of contents from docs/README.md: each heading is a section, and each item of the list below it is a
 * page. Further links in an item are subpages.
 *
 * @typedef {{ text: string, file: string, items: Entry[] }} Entry a page: its name, its path from the root, its
 * subpages
 * @returns {{ text: string, items: Entry[] }[]}
 */
export function readContents() {
  const [, ...sections] = readFileSync(join(root, file), 'utf8').split(/^## /m)
  return sections.map((section) => {
    const [heading, ...lines] = section.split('\n')
    const items = lines.join('\n').split(/^- /m).slice(1)
    return { text: heading, items: items.map(readItem) }
  })
}

function readItem(item) {
  const [first, ...further] = [...item.matchAll(/\[([^\]]+)\]\(([^)#]+)\)/g)].map(([, text, target]) => ({
    text: text.replaceAll('`', ''),
    file: posix.join(posix.dirname(file), target),
    items: []
  }))
  if (first === undefined) throw new Error(`${file} has an item without a link: ${item}`)
  return { ...first, items: further }
}
