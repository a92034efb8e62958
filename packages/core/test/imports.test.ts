import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, posix } from 'node:path'

interface Import {
  /** A file of core, as a path relative to src, or the name of a package. */
  readonly target: string
  readonly typeOnly: boolean
}

/**
 * The imports, re-exports and requires of a source file. Biome's format puts every statement at the start of a line.
 */
function importsOf(file: string, text: string): Import[] {
  const statement = /^(?:import|export)\s+(type\s)?(?:([^'";]*?)\sfrom\s*)?['"]([^'"]+)['"]/gm
  const call = /^(?!\s*(?:\/?\*|\/\/)).*?\b(?:import|require)\(\s*['"]([^'"]+)['"]/gm
  const found = [...text.matchAll(statement)].map(([, type, names, target]) => ({
    target: target as string,
    typeOnly: type !== undefined || (names !== undefined && namesAreTypes(names))
  }))
  for (const [, target] of text.matchAll(call)) found.push({ target: target as string, typeOnly: false })
  return found.map(({ target, typeOnly }) => ({
    target: target.startsWith('.') ? posix.join(posix.dirname(file), target) : target,
    typeOnly
  }))
}

/** Whether every name between the braces has `type` in front. */
function namesAreTypes(names: string): boolean {
  const listed = /^\{([^}]*)\}$/.exec(names.trim())?.[1]
  const each = listed?.split(',').map((name) => name.trim())
  return each?.every((name) => name === '' || name.startsWith('type ')) ?? false
}

/** The cycles in the import graph, each as a list of files. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const visit = (file: string, way: string[]): void => {
    const seen = way.indexOf(file)
    if (seen !== -1) cycles.push([...way.slice(seen), file])
    if (seen !== -1 || done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...way, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return cycles
}

const folder = join(__dirname, '../src')
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => /\.m?ts$/.test(file))
const imports = new Map(sources.map((file) => [file, importsOf(file, readFileSync(join(folder, file), 'utf8'))]))
const isOwn = (target: string) => target.endsWith('.ts')
const indexes = ['index', 'adapter', 'ws-compatibility'].flatMap((name) => [`${name}.ts`, `${name}.mts`])

/** All imports that a rule forbids, as lines such as `reports/log.ts -> ws`. */
function offences(forbidden: (file: string, imported: Import) => boolean): string[] {
  return [...imports].flatMap(([file, list]) =>
    list.filter((imported) => forbidden(file, imported)).map(({ target }) => `${file} -> ${target}`)
  )
}

describe('core', () => {
  test('imports only files that exist', () => {
    expect(sources).toEqual(expect.arrayContaining(['index.ts', 'accept.ts', 'transport/http1.ts']))
    expect(offences((_file, { target }) => isOwn(target) && !imports.has(target))).toEqual([])
  })

  test('imports ws at run time only in life/ws.ts', () => {
    const runTime = offences((_file, { target, typeOnly }) => /^ws(?:\/|$)/.test(target) && !typeOnly)
    expect([...new Set(runTime)]).toEqual(['life/ws.ts -> ws'])
  })

  // The methods that stream classes implement have such names too:
  // https://nodejs.org/api/stream.html#api-for-stream-implementers
  test('uses privates of ws only in life/ws.ts, and those of Node only in node.ts', () => {
    const names = /(?:[.'"]_(?!(?:read|write|writev|final|destroy)\b)\w+|getOwnPropertySymbols)/
    const users = sources.filter((file) => names.test(readFileSync(join(folder, file), 'utf8')))
    expect(users.sort()).toEqual(['life/ws.ts', 'node.ts'])
  })

  test('imports only itself, Node and ws: no framework', () => {
    const known = new Set(['ws', ...builtinModules.map((name) => `node:${name}`)])
    expect(offences((_file, { target }) => !isOwn(target) && !known.has(target))).toEqual([])
  })

  test('imports its entry points only in their twins for ES modules', () => {
    const twins = ['adapter.mts -> adapter.ts', 'index.mts -> index.ts', 'ws-compatibility.mts -> ws-compatibility.ts']
    expect(offences((_file, { target }) => indexes.includes(target)).sort()).toEqual(twins)
  })

  test('imports ws-compatibility/ only from its subpath', () => {
    const isOf = (path: string) => path.startsWith('ws-compatibility')
    expect(offences((file, { target }) => isOf(target) && !isOf(file))).toEqual([])
  })

  test('has no import cycle, type imports included', () => {
    const graph = new Map([...imports].map(([file, list]) => [file, list.map(({ target }) => target)]))
    expect(cyclesOf(graph)).toEqual([])
  })

  const pure = [
    'rules/address.ts',
    'rules/bearer.ts',
    'close-code.ts',
    'rules/credential.ts',
    'options/checks.ts',
    'options/names.ts',
    'options/near-miss.ts',
    'options/recent.ts',
    'options/endpoint.ts',
    'errors.ts',
    'life/expiry.ts',
    'reports/facts.ts',
    'reports/fault.ts',
    'life/heartbeat.ts',
    'http-fields.ts',
    'rules/host.ts',
    'rules/limits.ts',
    'reports/log.ts',
    'reports/thrown.ts',
    'options/server.ts',
    'rules/origin.ts',
    'rules/origin-hint.ts',
    'rules/origin-clients.ts',
    'docs.ts',
    'rules/effective.ts',
    'options/arguments.ts',
    'life/budget.ts',
    'life/deadlines.ts',
    'life/held-messages.ts',
    'rules/subprotocol.ts',
    'rules/request.ts',
    'show.ts'
  ]

  test('has pure files that import only pure files, and otherwise only types', () => {
    expect(sources).toEqual(expect.arrayContaining(pure))
    const impure = offences((file, { target, typeOnly }) => pure.includes(file) && !pure.includes(target) && !typeOnly)
    expect(impure).toEqual([])
  })
})

describe('the reader of imports', () => {
  test.each<[text: string, target: string, typeOnly: boolean]>([
    ["import { a } from 'ws'", 'ws', false],
    ["import a from 'ws'", 'ws', false],
    ["import * as a from 'ws'", 'ws', false],
    ["import a, { type B } from 'ws'", 'ws', false],
    ["import 'ws'", 'ws', false],
    ["import { a, type B } from 'ws'", 'ws', false],
    ["import {\n  type A,\n  b\n} from 'ws'", 'ws', false],
    ["import type { A } from 'ws'", 'ws', true],
    ["import type A from 'ws'", 'ws', true],
    ["import { type A, type B } from 'ws'", 'ws', true],
    ["import {\n  type A,\n  type B\n} from 'ws'", 'ws', true],
    ["export { a } from './b.ts'", 'transport/b.ts', false],
    ["export * from '../b.ts'", 'b.ts', false],
    ["export type { A } from '../b.ts'", 'b.ts', true],
    ["export type * from '../b.ts'", 'b.ts', true],
    ["const a = await import('ws')", 'ws', false],
    ["  const a = require('ws')", 'ws', false],
    ["import a = require('ws')", 'ws', false],
    ["export const f = async () => import('./b.ts')", 'transport/b.ts', false]
  ])('reads %j', (text, target, typeOnly) => {
    expect(importsOf('transport/a.ts', `// first\n${text}\nconst rest = 1\n`)).toEqual([{ target, typeOnly }])
  })

  test.each([
    "// import { a } from 'ws'",
    " * import { a } from 'ws'",
    " * const a = require('ws')",
    "  // await import('ws')",
    "export const a = 'ws'",
    "const a = 'import(ws)'"
  ])('does not read %j', (text) => {
    expect(importsOf('a.ts', text)).toEqual([])
  })

  test('reads each of several statements', () => {
    const text =
      "import type { A } from './a.ts'\nimport { b } from 'b'\n\nexport const c = 'd'\nexport { e } from './e.ts'\n"
    expect(importsOf('x.ts', text).map(({ target }) => target)).toEqual(['a.ts', 'b', 'e.ts'])
  })

  test('finds a cycle, and none if two paths lead to one file', () => {
    const round = new Map(Object.entries({ a: ['b'], b: ['c', 'd'], c: ['b'], d: [] }))
    expect(cyclesOf(round)).toEqual([['b', 'c', 'b']])
    const diamond = new Map(Object.entries({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))
    expect(cyclesOf(diamond)).toEqual([])
    expect(cyclesOf(new Map([['a', ['a']]]))).toEqual([['a', 'a']])
  })
})
