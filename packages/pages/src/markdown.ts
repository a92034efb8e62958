import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

export const root = join(__dirname, '..', '..', '..')

/** A fenced block of a page. */
export interface Block {
  /** The path of the page, relative to the root. */
  readonly page: string
  readonly line: number
  readonly language: string
  /** The text of the HTML comment above the block, such as `example: express-chat`. */
  readonly label: string | undefined
  readonly text: string
}

/** The pages: README.md and the like, docs, docs/deploy, the README of each package and of each example. */
export function pages(): string[] {
  const inFolder = (folder: string) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => (folder === '.' ? name : `${folder}/${name}`))
  const packages = readdirSync(join(root, 'packages')).flatMap((name) =>
    [`packages/${name}/README.md`, `packages/${name}/src/README.md`].filter((page) => existsSync(join(root, page)))
  )
  const examples = readdirSync(join(root, 'examples'))
    .map((name) => (name === 'README.md' ? `examples/${name}` : `examples/${name}/README.md`))
    .filter((page) => existsSync(join(root, page)))
  return [...inFolder('.'), ...inFolder('docs'), ...inFolder('docs/deploy'), ...packages, ...examples]
}

export const readPage = (page: string): string => readFileSync(join(root, page), 'utf8')

/** All fenced blocks of a page, each with the comment directly above it. */
export function blocksOf(page: string, text: string = readPage(page)): Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  for (let index = 0; index < lines.length; index++) {
    const fence = /^\s*(`{3,}|~{3,})\s*(.*)$/.exec(lines[index] as string)
    if (fence === null) continue
    const begin = index
    const [, mark, language] = fence as unknown as [string, string, string]
    while (++index < lines.length && (lines[index] as string).trim() !== mark);
    if (index === lines.length) throw new Error(`${page}:${begin + 1}: the block has no end`)
    blocks.push({
      page,
      line: begin + 1,
      language: language.trim(),
      label: /^<!-- (.*) -->$/.exec(lines[begin - 1] ?? '')?.[1],
      text: `${lines.slice(begin + 1, index).join('\n')}\n`
    })
  }
  return blocks
}

/** The two programs in a diff: before the change and after it. With decorators, they are in TypeScript. */
export function sidesOf(diff: Block): { before: Block; after: Block } {
  const lines = diff.text.trimEnd().split('\n')
  const unknown = lines.find((line) => !/^(?:[ +-]|$)/.test(line))
  if (unknown !== undefined) throw new Error(`${diff.page}:${diff.line}: invalid start of a line in a diff: ${unknown}`)
  const side = (other: '+' | '-'): Block => ({
    ...diff,
    language: /^[ +-]\s*@\w+\(/m.test(diff.text) ? 'ts' : 'js',
    text: lines
      .filter((line) => !line.startsWith(other))
      .map((line) => `${line.slice(1)}\n`)
      .join('')
  })
  return { before: side('+'), after: side('-') }
}

/** The text of a page without its blocks. */
const withoutBlocks = (text: string): string => text.replace(/^\s*(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\s*\1\s*$/gm, '')

/** Address of one of our files. npm shows a package's README, but does not resolve paths that lead out of the package. */
const address = /^https:\/\/github\.com\/[\w.-]+\/oneport\/blob\/main\//

/** The targets of a page's links and images. Addresses of our own files are given as paths. */
export function linksOf(page: string): string[] {
  return addressesIn(page).map((target) =>
    address.test(target) ? posix.relative(dirname(page), target.replace(address, '')) : target
  )
}

/** The targets of a page's links and images, as they are written. */
export function addressesIn(page: string): string[] {
  const text = withoutBlocks(readPage(page)).replace(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string)
}

/** The anchors that GitHub generates for a page's headings. */
export function anchorsOf(page: string): string[] {
  const seen = new Map<string, number>()
  return [...withoutBlocks(readPage(page)).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) => {
    const anchor = (heading as string)
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
      .trim()
      .replace(/ /g, '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
}

/** The rows of all tables of a page, as cells; `\|` is a literal `|`. */
export function tableRows(page: string): string[][] {
  return readPage(page)
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|:-]+$/.test(line))
    .map((line) =>
      line
        .slice(1, line.trimEnd().endsWith('|') ? line.trimEnd().length - 1 : undefined)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|'))
    )
}
