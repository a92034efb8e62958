import { readFileSync } from 'node:fs'

/** The names that the export lists of a source have, those of types with `type` in front. */
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
