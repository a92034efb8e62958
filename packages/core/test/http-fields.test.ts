import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import {
  countFields,
  type HeadFields,
  hasMember,
  isToken,
  listMembers,
  removeOwnedFields,
  setFields,
  trimWhitespace
} from '../src/http-fields.ts'

const anyString = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('a', ',', ' ', '\t') }))
const newResponse = () => new ServerResponse(new IncomingMessage(new Socket()))

describe('isToken', () => {
  const tokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

  test('accepts exactly the characters of RFC 9110 §5.6.2', () => {
    const taken = Array.from({ length: 0x300 }, (_, code) => String.fromCharCode(code)).filter(isToken)
    expect(taken.sort()).toEqual([...tokenCharacters].sort())
  })

  test.each(['chat.v2', '__proto__', 'constructor', 'toString', 'a'.repeat(100_000)])('accepts %.20s', (value) => {
    expect(isToken(value)).toBe(true)
  })

  test.each(['', ' ', 'a b', ' a', 'a ', 'a\n', '\na', 'a,b', 'a\u00a0', 'ab\0'])('does not accept %j', (value) => {
    expect(isToken(value)).toBe(false)
  })
})

describe('trimWhitespace', () => {
  test.each<[name: string, value: string, trimmed: string]>([
    ['leaves a value without whitespace as it is', 'a', 'a'],
    ['removes spaces at both ends', '  a  ', 'a'],
    ['removes tabs at both ends', '\ta\t', 'a'],
    ['removes spaces and tabs in any order', ' \t a\t \t', 'a'],
    ['keeps whitespace inside', ' a \t b ', 'a \t b'],
    ['leaves nothing if there is only whitespace', ' \t ', ''],
    ['leaves an empty value empty', '', ''],
    ['keeps no-break spaces', '\u00a0a\u00a0', '\u00a0a\u00a0'],
    ['keeps line ends', '\r\na\n', '\r\na\n'],
    ['keeps vertical tabs and form feeds', '\va\f', '\va\f'],
    ['keeps a byte order mark', '\ufeffa', '\ufeffa'],
    ['keeps wide spaces', '\u2003a\u3000', '\u2003a\u3000']
  ])('%s', (_name, value, trimmed) => {
    expect(trimWhitespace(value)).toBe(trimmed)
  })

  test('removes only spaces and tabs, and only at the ends', () => {
    fc.assert(
      fc.property(anyString, (value) => {
        expect(trimWhitespace(value)).toBe(value.replace(/^[ \t]+/, '').replace(/[ \t]+$/, ''))
      })
    )
  })

  test('security: processes a million spaces', () => {
    const spaces = ' '.repeat(1_000_000)
    expect(trimWhitespace(spaces).length).toBe(0)
    expect(trimWhitespace(`${spaces}a${spaces}b${spaces}`) === `a${spaces}b`).toBe(true)
  })
})

describe('listMembers', () => {
  test.each<[name: string, value: string, members: string[]]>([
    ['finds one member', 'a', ['a']],
    ['finds several members', 'a,b , c', ['a', 'b', 'c']],
    ['skips empty members', ',a,, \t,b,', ['a', 'b']],
    ['finds none in an empty value', '', []],
    ['finds none in commas', ' , ,', []],
    ['keeps repeated members', 'a, a', ['a', 'a']],
    ['keeps case', 'A, b', ['A', 'b']],
    ['keeps a member of no-break spaces', '\u00a0,a', ['\u00a0', 'a']],
    ['keeps semicolons and spaces inside', 'a; b=c d', ['a; b=c d']]
  ])('%s', (_name, value, members) => {
    expect(listMembers(value)).toEqual(members)
  })

  test('finds the same members again after they are joined', () => {
    fc.assert(
      fc.property(anyString, (value) => {
        const members = listMembers(value)
        expect(
          members.every((member) => member !== '' && !member.includes(',') && trimWhitespace(member) === member)
        ).toBe(true)
        expect(listMembers(members.join(', '))).toEqual(members)
        expect(listMembers(members.join(','))).toEqual(members)
      })
    )
  })

  test.each([' ', ',', ' ,', '\t,\t'])('security: processes a million times %j', (part) => {
    expect(listMembers(`${part.repeat(1_000_000)}a`).slice(0, 2)).toEqual(['a'])
    expect(listMembers(`a${part.repeat(1_000_000)}`).slice(0, 2)).toEqual(['a'])
  })
})

describe('hasMember', () => {
  test.each<[value: string | undefined, found: boolean]>([
    ['upgrade', true],
    ['Upgrade', true],
    ['UPGRADE', true],
    ['keep-alive, Upgrade', true],
    ['Upgrade,keep-alive', true],
    [',,upgrade', true],
    ['\tUpgrade ', true],
    [undefined, false],
    ['', false],
    ['keep-alive', false],
    ['upgrades', false],
    ['no-upgrade', false],
    ['upgrade/1', false],
    ['up grade', false],
    ['keep-alive upgrade', false],
    ['keep-alive;upgrade', false],
    ['"upgrade"', false],
    ['\u00a0upgrade', false],
    ['upgr\u00e4de', false]
  ])('looks for upgrade in %j: %s', (value, found) => {
    expect(hasMember(value, 'upgrade')).toBe(found)
  })

  test('does not mistake a letter outside ASCII for its lower case in ASCII', () => {
    expect(hasMember('websoc\u212Aet', 'websocket')).toBe(false)
    expect(hasMember('h2c, websoc\u212Aet', 'websocket')).toBe(false)
  })

  test('finds a member at any place in a list', () => {
    fc.assert(
      fc.property(fc.array(anyString), fc.array(anyString), (before, after) => {
        expect(hasMember([...before, 'WebSocket', ...after].join(','), 'websocket')).toBe(true)
      })
    )
  })
})

describe('countFields', () => {
  test.each<[name: string, rawHeaders: string[], count: number]>([
    ['counts none in an empty list', [], 0],
    ['counts one', ['Host', 'a'], 1],
    ['counts in any case', ['HOST', 'a', 'host', 'b', 'hOsT', 'c'], 3],
    ['counts fields with the same value', ['Host', 'a', 'Host', 'a'], 2],
    ['does not count values', ['X', 'host', 'Y', 'Host'], 0],
    ['does not count names that begin with it', ['Hosts', 'a', 'Host-Name', 'b'], 0],
    ['does not count names that end with it', ['X-Host', 'a'], 0]
  ])('%s', (_name, rawHeaders, count) => {
    expect(countFields(rawHeaders, 'host')).toBe(count)
  })
})

describe('setFields', () => {
  test.each<[name: string, fields: HeadFields]>([
    ['an object', { 'X-One': '1', 'X-Two': 2, 'X-Many': ['a', 'b'] }],
    ['a flat list', ['X-One', '1', 'X-Two', 2, 'X-Many', ['a', 'b']]],
    ['a flat list with a name twice', ['X-One', '1', 'X-Two', 2, 'X-Many', 'a', 'x-many', 'b']],
    [
      'a list of pairs',
      [
        ['X-One', '1'],
        ['X-Two', 2],
        ['X-Many', ['a', 'b']]
      ]
    ],
    [
      'a list of pairs with a name twice',
      [
        ['X-One', '1'],
        ['X-Two', 2],
        ['X-Many', 'a'],
        ['x-many', 'b']
      ]
    ]
  ])('sets fields from %s', (_name, fields) => {
    const res = newResponse()
    setFields(res, fields)
    expect(res.getHeader('x-one')).toBe('1')
    expect(String(res.getHeader('x-two'))).toBe('2')
    expect(res.getHeader('x-many')).toEqual(['a', 'b'])
  })

  test.each<[name: string, fields: HeadFields]>([
    ['an object', { 'set-cookie': 'new=1' }],
    ['a flat list', ['Set-Cookie', 'new=1']],
    ['a list of pairs', [['SET-COOKIE', 'new=1']]]
  ])('replaces earlier fields with %s, as Node does', (_name, fields) => {
    const res = newResponse()
    res.setHeader('Set-Cookie', ['old=1', 'old=2'])
    res.setHeader('X-Kept', 'yes')
    setFields(res, fields)
    expect([res.getHeader('set-cookie')].flat()).toEqual(['new=1'])
    expect(res.getHeader('x-kept')).toBe('yes')
  })

  test.each<[name: string, fields: HeadFields]>([
    ['an empty object', {}],
    ['an empty list', []],
    ['an undefined value', { 'X-None': undefined }]
  ])('sets nothing for %s', (_name, fields) => {
    const res = newResponse()
    setFields(res, fields)
    expect(res.getHeaderNames()).toEqual([])
  })

  test.each<[name: string, fields: HeadFields]>([
    ['an object', { 'X-Split': 'a\r\nSet-Cookie: b' }],
    ['a flat list', ['X-Split', 'a\r\nSet-Cookie: b']],
    ['a list of pairs', [['X-Split', 'a\r\nSet-Cookie: b']]],
    ['an object with a bad name', { 'X Split': 'a' }],
    ['a flat list with a bad name', ['X\nSplit', 'a']]
  ])('security: has Node reject a line break in %s', (_name, fields) => {
    expect(() => setFields(newResponse(), fields)).toThrow(
      /Invalid character in header content|must be a valid HTTP token/
    )
  })
})

describe('removeOwnedFields', () => {
  const owned = [
    'Connection',
    'Content-Length',
    'Keep-Alive',
    'Sec-WebSocket-Accept',
    'Sec-WebSocket-Extensions',
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Version',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade'
  ]

  test.each(owned)('removes %s', (name) => {
    const res = newResponse()
    res.setHeader(name, 'x')
    removeOwnedFields(res)
    expect(res.getHeaderNames()).toEqual([])
  })

  test('leaves what middleware may set', () => {
    const res = newResponse()
    const kept = ['set-cookie', 'strict-transport-security', 'x-request-id', 'sec-websocket-other', 'server']
    for (const name of [...kept, ...owned]) res.setHeader(name, 'x')
    removeOwnedFields(res)
    expect(res.getHeaderNames()).toEqual(kept)
  })
})
