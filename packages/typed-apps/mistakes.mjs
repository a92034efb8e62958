/** Compares what a compiler says of each `mistakes.ts` with the comments in it; see the README. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

/** The first line of a diagnostic of the compiler, such as `ws/mistakes.ts(10,18): error TS2561: …`. */
const diagnostic = /^(.+)\((\d+),\d+\): error TS\d+: (.*)$/

/** What is wrong with the diagnostics that a compiler gives, as sentences. */
export function complaintsAbout(tsc) {
  const args = [tsc, '-p', 'tsconfig.mistakes.json', '--pretty', 'false']
  const { stdout } = spawnSync(process.execPath, args, { cwd: here })
  const found = []
  for (const line of String(stdout).split('\n')) {
    const [, file, number, message] = diagnostic.exec(line) ?? []
    if (file !== undefined) found.push({ at: `${file}:${number}`, message })
    else if (found.length > 0) found.at(-1).message += `\n${line}`
  }
  const files = readdirSync(here).map((folder) => `${folder}/mistakes.ts`)
  const expected = files.filter((file) => existsSync(join(here, file))).flatMap(expectedIn)
  const missing = expected.filter(({ at }) => !found.some((one) => one.at === at))
  return [
    ...missing.map(({ at }) => `${at}: there is no error`),
    ...found.flatMap((one) => complaint(one, expected, found) ?? [])
  ]
}

/** A mistake is in the line below its comment: `// error: a part of the message … another part`. */
const expectedIn = (file) =>
  readFileSync(join(here, file), 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      const [, parts] = /^ *\/\/ error: (.*)$/.exec(line) ?? []
      return parts === undefined ? [] : [{ at: `${file}:${index + 2}`, parts: parts.split(' … ') }]
    })

function complaint({ at, message }, expected, found) {
  const { parts } = expected.find((one) => one.at === at) ?? {}
  if (parts === undefined) return `${at}: an error that is not expected: ${message}`
  if (found.filter((one) => one.at === at).length > 1) return `${at}: more than one error: ${message}`
  if (!parts.every((part) => message.includes(part))) return `${at}: expected ${parts.join(' … ')}; got ${message}`
  // Fastify has overloads of its own for routes and for register().
  if (message.includes('overload') && !at.startsWith('fastify')) return `${at}: an error for each overload: ${message}`
  return undefined
}
