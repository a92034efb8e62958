import fc from 'fast-check'
import { isToken } from '../../src/http-fields.ts'
import { chooseSubprotocol, parseSubprotocols } from '../../src/rules/subprotocol.ts'

const tokenCharacters = [..."!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"]
const token = fc.string({ unit: fc.constantFrom(...tokenCharacters), minLength: 1 })
const tokens = fc.uniqueArray(token, { minLength: 1 })

describe('parseSubprotocols', () => {
  test.each<[name: string, value: string, offered: string[]]>([
    ['reads one name', 'chat', ['chat']],
    ['reads several names in the client’s order', 'b, a, c', ['b', 'a', 'c']],
    ['needs no space after the comma', 'a,b', ['a', 'b']],
    ['takes spaces and tabs around names', ' \ta \t,\t b\t ', ['a', 'b']],
    ['skips empty members', ',a,, ,b,', ['a', 'b']],
    ['tells case apart', 'Chat, chat', ['Chat', 'chat']],
    ['reads names with dots and other characters of a token', 'v2.chat!, a|b~c', ['v2.chat!', 'a|b~c']],
    [
      'reads a bearer token in base64url',
      'bearer, eyJhbGciOi.eyJzdWIi.c2ln-_',
      ['bearer', 'eyJhbGciOi.eyJzdWIi.c2ln-_']
    ],
    ['reads names that objects have', '__proto__, constructor, toString', ['__proto__', 'constructor', 'toString']]
  ])('%s', (_name, value, offered) => {
    expect(parseSubprotocols(value)).toEqual(offered)
  })

  test.each<[name: string, value: string]>([
    ['nothing', ''],
    ['spaces alone', ' \t '],
    ['commas alone', ', ,,'],
    ['a name twice', 'a, a'],
    ['a name twice with another between', 'a, b, a'],
    ['a name of Object.prototype twice', 'toString, toString'],
    ['a space inside a name', 'chat v2'],
    ['a slash', 'a/b'],
    ['a name in quotes', '"a"'],
    ['a parameter', 'a;b=c'],
    ['an equals sign, as padded base64 has', 'bearer, dG9rZW4='],
    ['a no-break space in front, which is no whitespace', '\u00a0a'],
    ['a no-break space behind, which is no whitespace', 'a\u00a0'],
    ['a no-break space alone', 'a,\u00a0'],
    ['a vertical tab', 'a,\vb'],
    ['a form feed', '\fa'],
    ['a line feed', 'a\n'],
    ['a byte order mark', '\ufeffa'],
    ['letters outside ASCII', 'é'],
    ['a control character', 'a\x7f'],
    ['NUL', '\0'],
    ['one bad name among good ones', 'a, b c, d']
  ])('does not take %s', (_name, value) => {
    expect(parseSubprotocols(value)).toBeUndefined()
  })

  test('gives different tokens for whatever string it takes', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('a', 'b', ',', ' ') })),
        (value) => {
          const offered = parseSubprotocols(value) ?? ['none']
          expect(offered.length).toBeGreaterThan(0)
          expect(offered.every(isToken)).toBe(true)
          expect(new Set(offered).size).toBe(offered.length)
        }
      )
    )
  })

  test('gives back what was joined to a list, whatever stands between the members', () => {
    const separator = fc
      .tuple(fc.string({ unit: fc.constantFrom(' ', '\t') }), fc.string({ unit: fc.constantFrom(' ', '\t', ',') }))
      .map(([before, after]) => `${before},${after}`)
    fc.assert(
      fc.property(tokens, separator, (offered, between) => {
        expect(parseSubprotocols(offered.join(between))).toEqual(offered)
      })
    )
  })

  test('takes no list in which a name is repeated', () => {
    fc.assert(
      fc.property(tokens, fc.nat(), (offered, pick) => {
        const repeated = offered[pick % offered.length] as string
        expect(parseSubprotocols([...offered, repeated].join(', '))).toBeUndefined()
      })
    )
  })

  test.each([' ', '\t', ',', ' ,', 'a', 'a,', '\u00a0', ' a'])('security: reads a million times %j', (part) => {
    expect(parseSubprotocols(`${part.repeat(1_000_000)}@`) === undefined).toBe(true)
  })

  test('security: reads a name between a million spaces', () => {
    const spaces = ' '.repeat(1_000_000)
    expect(parseSubprotocols(`${spaces}a${spaces},${spaces}b${spaces}`)).toEqual(['a', 'b'])
  })
})

describe('chooseSubprotocol', () => {
  test.each<[name: string, supported: string[], offered: string[], chosen: string | undefined]>([
    ['picks the one that both have', ['chat'], ['chat'], 'chat'],
    ['picks by the server’s order', ['v2', 'v1'], ['v1', 'v2'], 'v2'],
    ['passes over what was not offered', ['v3', 'v1'], ['v2', 'v1'], 'v1'],
    ['picks none where they have none in common', ['v2'], ['v1'], undefined],
    ['picks none where the server has none', [], ['v1'], undefined],
    ['picks none where the client offers none', ['v1'], [], undefined],
    ['tells case apart', ['chat'], ['Chat'], undefined],
    ['does not take a name for one that it begins', ['chat'], ['chat.v2'], undefined],
    ['does not take a name for one that begins it', ['chat.v2'], ['chat'], undefined],
    ['finds no name that merely every object has', ['toString', 'constructor', '__proto__'], ['a'], undefined],
    ['finds a name that every object has where it was offered', ['__proto__'], ['a', '__proto__'], '__proto__']
  ])('%s', (_name, supported, offered, chosen) => {
    expect(chooseSubprotocol(supported, offered)).toBe(chosen)
  })

  test('picks only what was offered, and nothing that the server has in front of it', () => {
    const few = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'toString'))
    fc.assert(
      fc.property(few, few, (supported, offered) => {
        const chosen = chooseSubprotocol(supported, offered)
        const common = supported.filter((name) => offered.includes(name))
        expect(chosen).toBe(common[0])
      })
    )
  })
})
