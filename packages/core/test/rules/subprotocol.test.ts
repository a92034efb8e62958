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
    ['accepts spaces and tabs around names', ' \ta \t,\t b\t ', ['a', 'b']],
    ['skips empty members', ',a,, ,b,', ['a', 'b']],
    ['is case-sensitive', 'Chat, chat', ['Chat', 'chat']],
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
    ['spaces only', ' \t '],
    ['commas only', ', ,,'],
    ['a name twice', 'a, a'],
    ['a name twice with another in between', 'a, b, a'],
    ['a name of Object.prototype twice', 'toString, toString'],
    ['a space inside a name', 'chat v2'],
    ['a slash', 'a/b'],
    ['a name in quotes', '"a"'],
    ['a parameter', 'a;b=c'],
    ['an equals sign, as padded base64 has', 'bearer, dG9rZW4='],
    ['a leading no-break space, which is not whitespace', '\u00a0a'],
    ['a trailing no-break space, which is not whitespace', 'a\u00a0'],
    ['only a no-break space', 'a,\u00a0'],
    ['a vertical tab', 'a,\vb'],
    ['a form feed', '\fa'],
    ['a line feed', 'a\n'],
    ['a byte order mark', '\ufeffa'],
    ['letters outside ASCII', 'é'],
    ['a control character', 'a\x7f'],
    ['NUL', '\0'],
    ['one bad name among good ones', 'a, b c, d']
  ])('does not accept %s', (_name, value) => {
    expect(parseSubprotocols(value)).toBeUndefined()
  })

  test('returns unique tokens for every string that it accepts', () => {
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

  test('returns what was joined to a list, whatever separates the members', () => {
    const separator = fc
      .tuple(fc.string({ unit: fc.constantFrom(' ', '\t') }), fc.string({ unit: fc.constantFrom(' ', '\t', ',') }))
      .map(([before, after]) => `${before},${after}`)
    fc.assert(
      fc.property(tokens, separator, (offered, between) => {
        expect(parseSubprotocols(offered.join(between))).toEqual(offered)
      })
    )
  })

  test('accepts no list in which a name is repeated', () => {
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
    ['chooses the one that both have', ['chat'], ['chat'], 'chat'],
    ['chooses by the server’s order', ['v2', 'v1'], ['v1', 'v2'], 'v2'],
    ['skips what was not offered', ['v3', 'v1'], ['v2', 'v1'], 'v1'],
    ['chooses none if there is none in common', ['v2'], ['v1'], undefined],
    ['chooses none if the server has none', [], ['v1'], undefined],
    ['chooses none if the client offers none', ['v1'], [], undefined],
    ['is case-sensitive', ['chat'], ['Chat'], undefined],
    ['does not match a prefix of a name', ['chat'], ['chat.v2'], undefined],
    ['does not match a name by its prefix', ['chat.v2'], ['chat'], undefined],
    ['does not find names that every object has', ['toString', 'constructor', '__proto__'], ['a'], undefined],
    ['finds a name that every object has if it was offered', ['__proto__'], ['a', '__proto__'], '__proto__']
  ])('%s', (_name, supported, offered, chosen) => {
    expect(chooseSubprotocol(supported, offered)).toBe(chosen)
  })

  test('chooses only what was offered, and nothing that the server prefers to it', () => {
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
