import { Recent } from '../../src/options/recent.ts'
import { resolveOptions } from '../../src/options/server.ts'

/** What was made, numbered. */
function counting() {
  const recent = new Recent<object, number>()
  let made = 0
  return (options: object) => recent.get(options, () => ++made)
}

test.each<[what: string, make: () => object]>([
  ['nothing', () => ({})],
  ['numbers and strings', () => ({ maxPayloadBytes: 1, allowedOrigins: 'any', requireOrigin: true })],
  ['lists', () => ({ allowedOrigins: ['https://a.example', 'null'], subprotocols: [] })],
  ['objects in objects', () => ({ perMessageDeflate: { zlibDeflateOptions: { level: 1 } }, ws: {} })]
])('finds options with the same values: %s', (_what, make) => {
  const get = counting()
  expect([get(make()), get(make()), get({ other: 1 }), get(make())]).toEqual([1, 1, 2, 1])
})

test.each<[what: string, a: object, b: object]>([
  ['another value', { a: 1 }, { a: 2 }],
  ['another name', { a: 1 }, { b: 1 }],
  ['one more', { a: 1 }, { a: 1, b: undefined }],
  ['an inherited value', { toString: 1 }, { a: 1 }],
  ['another order', { a: [1, 2] }, { a: [2, 1] }],
  ['a list instead of an object', { a: ['x'] }, { a: { 0: 'x' } }],
  ['another function', { a: () => 1 }, { a: () => 1 }],
  ['another regular expression', { a: /a/ }, { a: /a/ }],
  ['another instance', { a: new Date(0) }, { a: new Date(0) }],
  ['values that are nested too deep', { a: { b: { c: { d: 1 } } } }, { a: { b: { c: { d: 1 } } } }]
])('tells options apart that have %s', (_what, a, b) => {
  const get = counting()
  expect([get(a), get(b)]).toEqual([1, 2])
})

test('compares what the options were, not what they have become', () => {
  const get = counting()
  const options = { allowedOrigins: ['https://a.example'] }
  expect(get(options)).toBe(1)
  options.allowedOrigins.push('https://b.example')
  expect(get(options)).toBe(2)
  expect(get({ allowedOrigins: ['https://a.example'] })).toBe(1)
})

test('does not remember what could not be made', () => {
  const recent = new Recent<object, number>()
  const fail = () => {
    throw new Error('wrong option')
  }
  expect(() => recent.get({ a: 1 }, fail)).toThrow('wrong option')
  expect(recent.get({ a: 1 }, () => 1)).toBe(1)
})

test('survives options that refer to themselves', () => {
  const get = counting()
  const cyclic = (): object => {
    const options: { self?: object } = {}
    options.self = options
    return options
  }
  expect([get(cyclic()), get(cyclic())]).toEqual([1, 2])
})

test('does not remember functions, which may refer to a request, even if they are the same', () => {
  const get = counting()
  const options = { subprotocols: () => undefined }
  expect([get(options), get(options)]).toEqual([1, 2])
})

test('forgets all but the last 16', () => {
  const get = counting()
  for (let a = 1; a <= 16; a++) get({ a })
  expect(get({ a: 1 })).toBe(1)
  get({ a: 17 })
  expect(get({ a: 1 })).toBe(18)
})

test('belongs to one attachment: the same options mean something else with other defaults', () => {
  expect(resolveOptions({}).recent).not.toBe(resolveOptions({}).recent)
})
