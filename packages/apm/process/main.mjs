// The same as main.cjs, with a subject that is an ES module.
import { createRequire } from 'node:module'
import { report } from './report.cjs'

const [, , monitorName, subjectName] = process.argv
const monitor = createRequire(import.meta.url)(`./monitors/${monitorName}.cjs`)
const { start } = await import(`./subjects/${subjectName}.mjs`)
report(await start(), monitor)
