import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Block, blocksOf, pages } from './markdown.ts'

/** Where recipes are written: packages are found from here, and no tool takes it for a package itself. */
const folder = join(__dirname, '..', '.recipes')

/** The blocks that are files of a recipe: `recipe: vite/server.js`. */
export const recipeBlocks = (): [path: string, block: Block][] =>
  pages().flatMap((page) =>
    blocksOf(page).flatMap((block): [string, Block][] =>
      block.label?.startsWith('recipe: ') ? [[block.label.slice('recipe: '.length), block]] : []
    )
  )

/** The files of a recipe, in a folder of their own. */
export interface Recipe {
  readonly folder: string
  remove(): void
}

/**
 * Writes the files of a recipe.
 * @param ports what stands for each port that the page writes
 * @param others files that a reader has anyway, by their names
 */
export function writeRecipe(
  name: string,
  ports: Readonly<Record<number, number>>,
  others: Readonly<Record<string, string>> = {}
): Recipe {
  const own = recipeBlocks().flatMap(([path, { text }]): [string, string][] =>
    path.startsWith(`${name}/`) ? [[path.slice(name.length + 1), text]] : []
  )
  if (own.length === 0) throw new Error(`No page has a file of the recipe ${name}.`)
  const target = join(folder, `${name}-${process.pid}`)
  for (const [file, text] of [['package.json', '{ "type": "module" }'] as const, ...Object.entries(others), ...own]) {
    const path = join(target, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, withPorts(text, ports))
  }
  return { folder: target, remove: () => rmSync(target, { recursive: true, force: true }) }
}

const withPorts = (text: string, ports: Readonly<Record<number, number>>): string =>
  Object.entries(ports).reduce(
    (changed, [from, to]) => changed.replace(new RegExp(`\\b${from}\\b`, 'g'), String(to)),
    text
  )
