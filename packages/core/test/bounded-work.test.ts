import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { parseSync } from '@swc/core'
import { checkSync } from 'recheck'
import { hasMember, listMembers, trimWhitespace } from '../src/http-fields.ts'
import { addressKey } from '../src/rules/address.ts'
import { takeBearerToken } from '../src/rules/bearer.ts'
import { validateHost } from '../src/rules/host.ts'
import { compileOrigins } from '../src/rules/origin.ts'
import { originHint } from '../src/rules/origin-hint.ts'
import { isExtensionList, validateHandshake, validateRequest } from '../src/rules/request.ts'
import { chooseSubprotocol, parseSubprotocols } from '../src/rules/subprotocol.ts'
import { describeBriefly, describe as describeError, indented, oneLine, quote, show } from '../src/show.ts'
import { ordinaryHead } from '../src/transport/replay.ts'

// A peer may send as much as `--max-http-header-size` allows. Time is not measured here: a checker proves that every
// regular expression is linear, and all other work is counted.

const packages = ['client', 'core', 'express', 'fastify', 'hono', 'koa', 'nestjs', 'redis', 'testing', 'topics']
const root = join(__dirname, '../..')

/** Every regular expression in a source file, as pattern and flags. */
function expressionsIn(source: string): [pattern: string, flags: string][] {
  const found: [string, string][] = []
  JSON.stringify(parseSync(source, { syntax: 'typescript' }), (_key, node) => {
    if (node?.type === 'RegExpLiteral') found.push([node.pattern, node.flags])
    return node
  })
  return found
}

const sources = packages.flatMap((name) =>
  readdirSync(join(root, name, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file: `${name}/${file}`, text: readFileSync(join(root, name, 'src', file), 'utf8') }))
)
/** Only reads what Fastify prints about the application's own routes, nothing from a peer. */
const ofApplication = 'fastify/earlier-routes.ts'
const literals = sources.flatMap(({ file, text }) =>
  (file === ofApplication ? [] : expressionsIn(text)).map(([pattern, flags]): [string, string, string] => [
    file,
    pattern,
    flags
  ])
)

/** Whether an expression takes linear time, and whether that is proved or only tested. */
function costOf(pattern: string, flags: string): string {
  const { status, checker } = checkSync(pattern, flags)
  return `${status} (${checker})`
}

describe('a regular expression', () => {
  beforeAll(() => {
    // The checker also has a native program, which is not available everywhere.
    process.env.RECHECK_BACKEND = 'pure'
  })

  test('that takes quadratic time is found', () => {
    expect(expressionsIn('const text = value.replace(/\\s*\\n\\s*/g, 1)')).toEqual([['\\s*\\n\\s*', 'g']])
    expect(costOf('\\s*\\n\\s*', 'g')).toBe('vulnerable (automaton)')
  })

  test.each(literals)('security: of %s takes linear time: /%s/%s', (_file, pattern, flags) => {
    expect(costOf(pattern, flags)).toBe('safe (automaton)')
  })

  test('security: built at run time takes linear time', () => {
    const made = sources.filter(({ text }) => text.includes('new RegExp(')).map(({ file }) => file)
    // The one in origin.ts is the application's own, with anchors around it.
    expect(made).toEqual(['core/rules/origin.ts', 'core/rules/request.ts'])
    const patterns: string[] = []
    const { RegExp: Native } = globalThis
    globalThis.RegExp = new Proxy(Native, {
      construct(target, args) {
        patterns.push(String(args[0]))
        return Reflect.construct(target, args)
      }
    })
    try {
      jest.isolateModules(() => require('../src/rules/request.ts'))
    } finally {
      globalThis.RegExp = Native
    }
    expect(patterns).toHaveLength(1)
    expect(costOf(patterns[0] as string, '')).toBe('safe (automaton)')
  })
})

/** Methods that look at a whole string or list, with the most that they look at. */
const counted: [
  prototype: object,
  name: string,
  size: (self: { length: number }, args: { length: number }[]) => number
][] = [
  ...['endsWith', 'includes', 'indexOf', 'replace', 'slice', 'split', 'startsWith', 'toLowerCase', 'trim'].map(
    (name): (typeof counted)[number] => [String.prototype, name, ({ length }) => length]
  ),
  [String.prototype, 'charCodeAt', () => 1],
  ...['every', 'filter', 'find', 'includes', 'join', 'map', 'slice', 'some', 'splice'].map(
    (name): (typeof counted)[number] => [Array.prototype, name, ({ length }) => length]
  ),
  // A global one continues after its last match.
  [RegExp.prototype, 'exec', (self, [text]) => ((self as never as RegExp).global ? 1 : (text?.length ?? 0))],
  [RegExp.prototype, 'test', (_self, [text]) => text?.length ?? 0]
]

/** How many characters and list members `run` looks at. */
function workOf(run: () => unknown): number {
  let work = 0
  const originals = counted.map(([prototype, name]) => Reflect.get(prototype, name) as (...args: unknown[]) => unknown)
  counted.forEach(([prototype, name, size], index) => {
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(this: never, ...args: never[]) {
        work += size(this, args)
        return Reflect.apply(originals[index] as never, this, args)
      }
    })
  })
  try {
    run()
  } catch {
    // A refusal.
  } finally {
    counted.forEach(([prototype, name], index) => {
      Object.defineProperty(prototype, name, { configurable: true, writable: true, value: originals[index] })
    })
  }
  return work
}

const request = (headers: Record<string, string>): IncomingMessage =>
  ({
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    headers: { ...handshake, ...headers },
    rawHeaders: Object.entries({ ...handshake, ...headers }).flat()
  }) as never
const handshake = { connection: 'Upgrade', upgrade: 'websocket', host: 'a', 'sec-websocket-version': '13' }
const key = { 'sec-websocket-key': 'x3JJHMbDL1EzLkh9GBhXDw==' }

const origins = [
  'same-origin',
  'null',
  '',
  'file://',
  'https://a',
  'https://*.b',
  'app://*',
  /https:\/\/[a-z]+\.b/
] as const
const { allows } = compileOrigins(origins)

/** Gets the hint for an origin, a host and forwarded fields that are made from a text. */
const hintFor =
  (make: (text: string) => [origin: string, host: string, forwarded?: string]) =>
  (text: string): string => {
    const [origin, host, forwarded] = make(text)
    const headers = { host, 'x-forwarded-host': forwarded, 'x-forwarded-proto': forwarded }
    return originHint({ origin, effective: { host }, headers, list: ['same-origin'], trust: () => 'trust()' })
  }

/** Each parser and formatter, with its own special characters. */
const subjects: [name: string, pieces: string[], take: (text: string) => unknown][] = [
  ['trimWhitespace', [' ', '\t', ' a'], trimWhitespace],
  ['listMembers', [' ', ',', ', ', 'a,', ' \t,'], listMembers],
  ['hasMember', [' ', ',', 'a,', 'upgrade,', 'upgrade '], (text) => hasMember(text, 'upgrade')],
  ['validateRequest', [' ', ',', 'upgrade,'], (text) => validateRequest(request({ connection: text, upgrade: text }))],
  ['validateHost', ['a', '[', ':', '.', '%', '[:', '1:'], (text) => validateHost(request({ host: text }))],
  ['the version', ['1', ' ', ','], (text) => validateHandshake(request({ 'sec-websocket-version': text }))],
  ['the key', ['=', 'A', '+/'], (text) => validateHandshake(request({ 'sec-websocket-key': text }))],
  [
    'the extensions',
    [' ', '\t', ',', ';', '=', '"', 'a;', 'a=', 'a="', 'a; a', 'a,', 'a ', ';a="\\', '\\'],
    (text) => validateHandshake(request({ ...key, 'sec-websocket-extensions': text }))
  ],
  ['isExtensionList', [' ', ',', ';', 'a; a="\\a"'], isExtensionList],
  ['parseSubprotocols', [' ', ',', 'a', 'a,', 'a, ', ', ,'], parseSubprotocols],
  ['chooseSubprotocol', ['a', 'a,', ' '], (text) => chooseSubprotocol(['x', 'y'], parseSubprotocols(text) ?? [])],
  [
    'takeBearerToken',
    ['bearer.', ',', ' ', 'a,'],
    (text) => takeBearerToken(request({ 'sec-websocket-protocol': text }), 'bearer.')
  ],
  ['origins', ['a', '.', '-', ':', '/', '[', '*', '~', 'a.', 'https://'], (text) => allows(text, { host: text })],
  ['origins of the web', ['a', '.', '-', 'a.', '[', ':', '1'], (text) => allows(`https://${text}`, { host: text })],
  ['origins of programs', ['.', 'a', ':', '/'], (text) => allows(`app://${text}`, {})],
  ['the hint for an origin', ['a', '.', '-', '1.', '[', ':', ','], hintFor((text) => [`https://${text}`, text])],
  ['the hint for a program', ['a', '.', '-', '1.', '[', ':', '/'], hintFor((text) => [`app://${text}`, 'a'])],
  ['the hint behind a proxy', ['a', ',', ' ', '.', '1.', 'https,'], hintFor((text) => ['https://a', 'a', text])],
  ['addressKey', [':', '.', '[', ']', '%', '1', '1:', '1.', '::', 'f'], addressKey],
  [
    'ordinaryHead, the value',
    [' ', ',', 'upgrade,', 'a'],
    (text) => ordinaryHead(request({ connection: text, a: text }))
  ],
  ['quote', ['\n', '"', '\\', '\x1b', '\x9b', ' '], quote],
  ['show', ['\n', '\x1b', ' ', "'"], show],
  ['oneLine', ['\n', ' ', '\r', '\r\n', ' \n', '\n ', '\x1b', '\x9b', '\u2028', '|'], oneLine],
  ['indented', ['\n', ' ', '\r', '\r\n', ' \n', '\n ', '\x1b', '\x9b', '\u2028'], indented],
  ['describe', ['\n', ' ', ' \n', '\t', '\x1b'], (text) => describeError(new Error(text))],
  ['describeBriefly', ['\n', ' ', ' \n', '\t', '\x1b'], (text) => describeBriefly(new Error(text))]
]
const rows = subjects.flatMap(([name, pieces, take]) =>
  pieces.map((piece): [string, string, (text: string) => unknown] => [name, piece, take])
)

describe('security: 64 KiB', () => {
  test('of quadratic work are noticed', () => {
    const quadratic = (text: string) => [...text].map(() => text.slice(0))
    const [once, twice] = [512, 1_024].map((length) => workOf(() => quadratic(' '.repeat(length)))) as [number, number]
    expect(twice).toBeGreaterThan(3 * once)
  })

  test.each(rows)('cost %s no more per character than 32 KiB, of %j', (_name, piece, take) => {
    const textOf = (length: number): string => piece.repeat(Math.ceil(length / piece.length)).slice(0, length)
    const [half, whole] = [32_768, 65_536].map((length) => workOf(() => take(textOf(length)))) as [number, number]
    expect(half).toBeGreaterThan(0)
    expect(whole).toBeLessThanOrEqual(2 * half + 1_000)
    // Each character is looked at a bounded number of times.
    expect(whole).toBeLessThanOrEqual(40 * 65_536)
  })
})

describe('security: printed text', () => {
  test.each(['\n', ' ', 'a', '"', '\x1b', '\ud800', ' \n', '|'])(
    'of 64 KiB of %j is bounded, and on one line if it has to be',
    (piece) => {
      const text = piece.repeat(65_536)
      for (const [printed, longest] of [
        [quote(text), 900],
        [show(text), 900],
        [oneLine(text), 50_000],
        [indented(text), 50_000],
        [describeError(new Error(text)), 50_000],
        [describeBriefly(new Error(text)), 50_000]
      ] as const) {
        expect(printed.length).toBeLessThan(longest)
      }
      expect(oneLine(text)).not.toMatch(/[\r\n]/)
    }
  )
})
