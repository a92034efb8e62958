import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))
