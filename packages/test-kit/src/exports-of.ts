import { readFileSync } from 'node:fs'

/** The names in a source file's export lists; types have `type` in front. */
export function exportsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)]
    .flatMap(([, type = '', list = '']) =>
      list
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
        .map((name) => `${type}${name}`)
    )
    .sort()
}
