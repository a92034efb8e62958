import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Reads a JSON file, by its path from the root. */
export const readJson = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'))
