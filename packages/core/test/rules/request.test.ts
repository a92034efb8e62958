import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { HandshakeError } from '../../src/errors.ts'
import { listMembers } from '../../src/http-fields.ts'
import { validateHost } from '../../src/rules/host.ts'
import {
  hasContent,
  isExtensionList,
  isOpeningHandshake,
  type RequestHead,
  validateHandshake,
  validateRequest
} from '../../src/rules/request.ts'

type Changes = Record<string, string | string[] | undefined>

const goodFields = {
  Host: 'app.example',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13'
}

/** A handshake with some fields replaced, repeated or (undefined) left out, with `headers` as Node builds them. */
function handshake(changes: Changes = {}, line: { method?: string; version?: string } = {}): RequestHead {
  const { method = 'GET', version = '1.1' } = line
  const [major, minor] = version.split('.').map(Number)
  const headers: Record<string, string> = {}
  const rawHeaders: string[] = []
  for (const [name, values] of Object.entries({ ...goodFields, ...changes } as Changes)) {
    for (const value of values === undefined ? [] : [values].flat()) {
      rawHeaders.push(name, value)
      const key = name.toLowerCase()
      // Node keeps the first Host and joins the others.
      if (headers[key] === undefined) headers[key] = value
      else if (key !== 'host') headers[key] += `, ${value}`
    }
  }
  return { method, headers, rawHeaders, httpVersionMajor: major as number, httpVersionMinor: minor as number }
}

function refusalOf(run: () => void): HandshakeError | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof HandshakeError) return error
    throw error
  }
  return undefined
}

const request = (changes?: Changes, line?: { method?: string; version?: string }) => handshake(changes, line)

describe('a request for a WebSocket', () => {
  test.each<[name: string, changes: Changes]>([
    ['has the fields of RFC 6455', {}],
    ['may write websocket in any case', { Upgrade: 'WebSocket' }],
    ['may write websocket in capitals', { Upgrade: 'WEBSOCKET' }],
    ['may offer another protocol first', { Upgrade: 'other, websocket' }],
    ['may offer another protocol after it', { Upgrade: 'websocket,h2c' }],
    ['may offer another protocol in a field of its own', { Upgrade: ['h2c', 'WebSocket'] }],
    ['may have empty members in the list', { Upgrade: ', ,websocket,' }],
    ['may have spaces and tabs around the members', { Upgrade: 'h2c \t,\t websocket \t' }],
    ['may write Upgrade in any case', { Connection: 'uPGRADE' }],
    ['may have keep-alive in Connection, as Firefox does', { Connection: 'keep-alive, Upgrade' }],
    ['may have Upgrade before other options', { Connection: 'upgrade,x-hop' }],
    ['may have two fields Connection', { Connection: ['keep-alive', 'Upgrade'] }],
    ['may say that it has no content', { 'Content-Length': '0' }],
    ['may say so with more digits', { 'Content-Length': '00' }]
  ])('%s', (_name, changes) => {
    expect(isOpeningHandshake(request(changes))).toBe(true)
    expect(refusalOf(() => validateRequest(request(changes)))).toBeUndefined()
  })

  test('may use HTTP/1.2', () => {
    expect(isOpeningHandshake(request({}, { version: '1.2' }))).toBe(true)
    expect(refusalOf(() => validateRequest(request({}, { version: '1.2' })))).toBeUndefined()
  })

  test.each(['2.0', '3.0'])('over HTTP/%s uses a pseudo-header, and not Upgrade', (version) => {
    expect(isOpeningHandshake(request({}, { version }))).toBe(false)
    const extended = request({ ':protocol': 'websocket', Upgrade: undefined, Connection: undefined }, { version })
    expect(isOpeningHandshake(extended)).toBe(true)
    expect(refusalOf(() => validateRequest(extended))).toBeUndefined()
  })

  test('regression: a request that hapi injects, which has no HTTP version, was refused for its version', () => {
    const { httpVersionMajor: _major, httpVersionMinor: _minor, ...injected } = request({ Upgrade: undefined })
    expect(refusalOf(() => validateRequest(injected as RequestHead))?.code).toBe('HANDSHAKE_UPGRADE_REQUIRED')
  })

  test('over HTTP/1.1 cannot use a pseudo-header', () => {
    expect(isOpeningHandshake(request({ ':protocol': 'websocket', Upgrade: undefined }))).toBe(false)
  })
})

describe('an ordinary request', () => {
  test.each<[name: string, changes: Changes]>([
    ['has no field Upgrade', { Upgrade: undefined }],
    ['has an empty field Upgrade', { Upgrade: '' }],
    ['asks for h2c', { Upgrade: 'h2c' }],
    ['asks for TLS', { Upgrade: 'TLS/1.0' }],
    ['asks for websocket/13, which does not exist', { Upgrade: 'websocket/13' }],
    ['asks for something that begins with websocket', { Upgrade: 'websockets' }],
    ['asks for something that ends with websocket', { Upgrade: 'xwebsocket' }],
    ['names websocket in a comment of something else', { Upgrade: 'h2c (websocket)' }],
    ['separates the members with a semicolon', { Upgrade: 'h2c; websocket' }],
    ['separates the members with a space', { Upgrade: 'h2c websocket' }],
    ['has no field Connection', { Connection: undefined }],
    ['has an empty field Connection', { Connection: '' }],
    ['has only keep-alive in Connection', { Connection: 'keep-alive' }],
    ['has an option that merely contains upgrade', { Connection: 'no-upgrade' }],
    ['has an option that begins with upgrade', { Connection: 'upgrade-insecure' }],
    ['separates the options with a space', { Connection: 'keep-alive Upgrade' }],
    ['has content of known length', { 'Content-Length': '5' }],
    ['has content in chunks', { 'Transfer-Encoding': 'chunked' }],
    ['has content in an unknown coding', { 'Transfer-Encoding': 'identity' }]
  ])('%s', (_name, changes) => {
    expect(isOpeningHandshake(request(changes))).toBe(false)
    expect(refusalOf(() => validateRequest(request(changes)))).toMatchObject({
      code: 'HANDSHAKE_UPGRADE_REQUIRED',
      message: expect.stringContaining('This URL is a WebSocket endpoint')
    })
  })

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT', 'get', ''])('has the method %j', (method) => {
    expect(isOpeningHandshake(request({}, { method }))).toBe(false)
    expect(refusalOf(() => validateRequest(request({}, { method })))).toMatchObject({
      code: 'HANDSHAKE_METHOD',
      message: `A WebSocket endpoint expects GET; got ${JSON.stringify(method)}.`
    })
  })

  test('has the method HEAD, and gets the answer of a GET', () => {
    expect(isOpeningHandshake(request({}, { method: 'HEAD' }))).toBe(false)
    expect(refusalOf(() => validateRequest(request({}, { method: 'HEAD' })))?.code).toBe('HANDSHAKE_UPGRADE_REQUIRED')
  })

  test.each(['1.0', '0.9'])('uses HTTP/%s', (version) => {
    expect(isOpeningHandshake(request({}, { version }))).toBe(false)
    expect(refusalOf(() => validateRequest(request({}, { version })))).toMatchObject({
      code: 'HANDSHAKE_METHOD',
      message: expect.stringContaining(`HTTP/1.1 or later; got HTTP/${version}.`)
    })
  })

  test('keeps its wish to close the connection in the answer, next to the option Upgrade', () => {
    const refusal = refusalOf(() => validateRequest(request({ Upgrade: undefined, Connection: 'close' })))
    expect(refusal?.headers).toEqual({ Upgrade: 'websocket', Connection: 'close, Upgrade' })
  })

  test('has its method reported first if the version is wrong too', () => {
    const refusal = refusalOf(() => validateRequest(request({}, { method: 'POST', version: '1.0' })))
    expect(refusal?.message).toContain('got "POST"')
  })
})

describe('hasContent', () => {
  test.each<[changes: Changes, has: boolean]>([
    [{}, false],
    [{ 'Content-Length': '0' }, false],
    [{ 'Content-Length': '1' }, true],
    [{ 'Content-Length': '0, 1' }, true],
    [{ 'Transfer-Encoding': 'chunked' }, true],
    [{ 'Content-Length': '0', 'Transfer-Encoding': 'chunked' }, true]
  ])('reads from %p whether content follows: %s', (changes, has) => {
    expect(hasContent(request(changes))).toBe(has)
  })
})

describe('the field Host', () => {
  test.each([
    'app.example',
    'app.example:8443',
    'app.example:',
    'APP.Example',
    'app.example.',
    'localhost:3000',
    '127.0.0.1',
    '127.0.0.1:80',
    '[::1]',
    '[::1]:3000',
    '[2001:DB8::1]',
    '[::ffff:127.0.0.1]:80',
    'xn--bcher-kva.example',
    'a_b-c.example',
    'b%C3%BCcher.example',
    "~!$&'()*+,;="
  ])('may be %s', (host) => {
    expect(refusalOf(() => validateHost(request({ Host: host })))).toBeUndefined()
  })

  test.each([
    '',
    ':80',
    'app.example:http',
    'app.example:80:80',
    'app.example:-1',
    'user@app.example',
    'app.example/',
    'app.example/path',
    'app.example?q',
    'app.example#f',
    'app.example\\evil',
    'http://app.example',
    'app example',
    'app.example, evil.example',
    '<script>',
    '"app.example"',
    'bücher.example',
    '\u00a0app.example',
    'app.example\n',
    '::1',
    '[::1',
    '::1]',
    '[]',
    '[::1]x',
    '[::g]',
    '[app.example]',
    '[[::1]]'
  ])('security: must not be %j', (host) => {
    expect(refusalOf(() => validateHost(request({ Host: host })))).toMatchObject({
      code: 'HANDSHAKE_HOST',
      message: `Expected one valid header field "Host" (RFC 9112 §3.2); got ${JSON.stringify(host)}.`
    })
  })

  test('must not be missing', () => {
    expect(refusalOf(() => validateHost(request({ Host: undefined })))).toMatchObject({
      code: 'HANDSHAKE_HOST',
      message: expect.stringContaining('got 0 of them.')
    })
  })

  test.each<[name: string, changes: Changes]>([
    ['twice', { Host: ['app.example', 'app.example'] }],
    ['twice with different names', { Host: ['app.example', 'evil.example'] }],
    ['twice in different case', { HOST: 'evil.example' }]
  ])('security: must not be in the request %s', (_name, changes) => {
    expect(refusalOf(() => validateHost(request(changes)))).toMatchObject({
      code: 'HANDSHAKE_HOST',
      message: expect.stringContaining('got 2 of them.')
    })
  })

  test('is found in any case', () => {
    expect(refusalOf(() => validateHost(request({ Host: undefined, hOST: 'app.example' })))).toBeUndefined()
  })
})

describe('the field Sec-WebSocket-Key', () => {
  const refusal = (key: string | string[] | undefined) =>
    refusalOf(() => validateHandshake(request({ 'Sec-WebSocket-Key': key })))

  test.each(['dGhlIHNhbXBsZSBub25jZQ==', 'AAAAAAAAAAAAAAAAAAAAAA==', '+/+/+/+/+/+/+/+/+/+/+w=='])(
    'may be %s',
    (key) => {
      expect(refusal(key)).toBeUndefined()
    }
  )

  test.each<[name: string, key: string | string[], came: string]>([
    ['empty', '', '""'],
    ['one byte short', 'dGhlIHNhbXBsZSBub25j', '"dGhlIHNhbXBsZSBub25j"'],
    ['one byte long', 'dGhlIHNhbXBsZSBub25jZQA=', '"dGhlIHNhbXBsZSBub25jZQA="'],
    ['without padding', 'dGhlIHNhbXBsZSBub25jZQ', '"dGhlIHNhbXBsZSBub25jZQ"'],
    ['with one padding character', 'dGhlIHNhbXBsZSBub25jZQ=', '"dGhlIHNhbXBsZSBub25jZQ="'],
    ['with three padding characters', 'dGhlIHNhbXBsZSBub25jZQ===', '"dGhlIHNhbXBsZSBub25jZQ==="'],
    ['in the alphabet of base64url', 'dGhlIHNhbXBsZSBub25j-_==', '"dGhlIHNhbXBsZSBub25j-_=="'],
    ['with a space in it', 'dGhlIHNhbXBsZSBub25j Q==', '"dGhlIHNhbXBsZSBub25j Q=="'],
    ['with a space after it', 'dGhlIHNhbXBsZSBub25jZQ== ', '"dGhlIHNhbXBsZSBub25jZQ== "'],
    ['with a line feed after it', 'dGhlIHNhbXBsZSBub25jZQ==\n', '"dGhlIHNhbXBsZSBub25jZQ==\\n"'],
    ['in quotes', '"dGhlIHNhbXBsZSBub25jZQ=="', '"\\"dGhlIHNhbXBsZSBub25jZQ==\\""'],
    ['only padding', '========================', '"========================"'],
    [
      'there twice',
      ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ=='],
      '"dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="'
    ]
  ])('must not be %s', (_name, key, came) => {
    expect(refusal(key)).toMatchObject({
      code: 'HANDSHAKE_KEY',
      message: `Expected one Sec-WebSocket-Key of 16 bytes in base64; got ${came}.`
    })
  })

  test('must not be missing', () => {
    expect(refusal(undefined)).toMatchObject({
      code: 'HANDSHAKE_KEY',
      message: 'Expected one Sec-WebSocket-Key of 16 bytes in base64; got nothing.'
    })
  })

  test('encodes 16 bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(refusal(Buffer.from(bytes).toString('base64'))).toBeUndefined()
      })
    )
  })

  test('never encodes another number of bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }).filter((bytes) => bytes.length !== 16),
        (bytes) => {
          expect(refusal(Buffer.from(bytes).toString('base64'))?.code).toBe('HANDSHAKE_KEY')
        }
      )
    )
  })
})

describe('the field Sec-WebSocket-Version', () => {
  test.each([
    '',
    '0',
    '7',
    '8',
    '12',
    '14',
    '130',
    '013',
    '13.0',
    '+13',
    '-13',
    ' 13',
    '13 ',
    '1 3',
    '13,',
    '"13"',
    '0xd',
    '1.3e1',
    '１３',
    '8, 13'
  ])('must not be %j', (version) => {
    expect(refusalOf(() => validateHandshake(request({ 'Sec-WebSocket-Version': version })))).toMatchObject({
      code: 'HANDSHAKE_VERSION',
      message: `Expected Sec-WebSocket-Version 13; got ${JSON.stringify(version)}.`
    })
  })

  test('must not be there twice', () => {
    expect(refusalOf(() => validateHandshake(request({ 'Sec-WebSocket-Version': ['13', '13'] })))).toMatchObject({
      code: 'HANDSHAKE_VERSION',
      message: 'Expected Sec-WebSocket-Version 13; got "13, 13".'
    })
  })

  test('must not be missing', () => {
    expect(refusalOf(() => validateHandshake(request({ 'Sec-WebSocket-Version': undefined })))).toMatchObject({
      code: 'HANDSHAKE_VERSION',
      message: 'Expected Sec-WebSocket-Version 13; got nothing.'
    })
  })

  test('is missing in the old handshake with two keys, which is told the supported version', () => {
    const old = request({
      'Sec-WebSocket-Key': undefined,
      'Sec-WebSocket-Version': undefined,
      'Sec-WebSocket-Key1': '18x 6]8vM;54 *(5:  {   U1]8  z [  8',
      'Sec-WebSocket-Key2': '1_ tx7X d  <  nw  334J702) 7]o}` 0'
    })
    expect(refusalOf(() => validateHandshake(old))).toMatchObject({
      code: 'HANDSHAKE_VERSION',
      headers: { 'Sec-WebSocket-Version': '13' }
    })
  })

  test('is checked before the key, because another version may have other keys', () => {
    const other = request({ 'Sec-WebSocket-Version': '25', 'Sec-WebSocket-Key': undefined })
    expect(refusalOf(() => validateHandshake(other))?.code).toBe('HANDSHAKE_VERSION')
  })
})

describe('the field Sec-WebSocket-Extensions', () => {
  const good = [
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate;client_max_window_bits',
    'permessage-deflate; client_max_window_bits=15',
    'permessage-deflate; client_max_window_bits="15"',
    'permessage-deflate ; client_max_window_bits ; server_no_context_takeover',
    'permessage-deflate; client_max_window_bits, permessage-deflate',
    'x-webkit-deflate-frame, permessage-deflate',
    'a,b;c=d;e,f',
    'a;b=c;b=d',
    ',a,,b,',
    '\ta\t;\tb\t',
    "a;b='c;d'",
    '__proto__; constructor=toString'
  ]
  const bad = [
    '',
    ' ',
    ',',
    ', ,',
    ';',
    '=',
    'a;',
    'a;;b',
    ';a',
    'a; ;b',
    'a=b',
    'a b',
    'a; b c',
    'a;b=',
    'a;=b',
    'a;b==c',
    'a;b=c=d',
    'a;b =c',
    'a;b= c',
    'a;b="c',
    'a;b=c"',
    'a;b="',
    'a;b=""',
    'a;b="c d"',
    'a;b="c,d"',
    'a;b="c;d"',
    'a;b="c"d',
    'a;b="c""d"',
    'a/b',
    'a;b=c/d',
    'é',
    'a;\u00a0b',
    '\u00a0a',
    'a\n',
    'a;b=c\0',
    'permessage-deflate; client_max_window_bits=15, ;'
  ]

  test.each(good)('may be %j', (value) => {
    expect(isExtensionList(value)).toBe(true)
    expect(refusalOf(() => validateHandshake(request({ 'Sec-WebSocket-Extensions': value })))).toBeUndefined()
  })

  test.each(bad)('must not be %j', (value) => {
    expect(isExtensionList(value)).toBe(false)
    expect(refusalOf(() => validateHandshake(request({ 'Sec-WebSocket-Extensions': value })))).toMatchObject({
      code: 'HANDSHAKE_EXTENSION',
      message: `Expected Sec-WebSocket-Extensions to be a list of extensions (RFC 6455 §9.1); got ${JSON.stringify(value)}.`
    })
  })

  test('may be there twice, and then is one list', () => {
    const value = ['permessage-deflate', 'x-other; a=1']
    expect(refusalOf(() => validateHandshake(request({ 'Sec-WebSocket-Extensions': value })))).toBeUndefined()
  })

  test('may escape token characters in quotes, as RFC 6455 §9.1 allows', () => {
    expect(isExtensionList('permessage-deflate; client_max_window_bits="1\\5"')).toBe(true)
    expect(isExtensionList('a; b="\\c"')).toBe(true)
    expect(isExtensionList('a; b="c\\"')).toBe(false)
    expect(isExtensionList('a; b="c\\ d"')).toBe(false)
    expect(isExtensionList('a; b="c\\"d"')).toBe(false)
  })

  test('is checked after version and key', () => {
    const both = request({ 'Sec-WebSocket-Key': 'x', 'Sec-WebSocket-Extensions': ';' })
    expect(refusalOf(() => validateHandshake(both))?.code).toBe('HANDSHAKE_KEY')
  })

  test('is parsed as ws does, once its empty members are removed', () => {
    const load = createRequire(__filename)
    const ws = load(join(dirname(load.resolve('ws/package.json')), 'lib/extension.js')) as {
      parse(value: string): void
    }
    const wsReads = (value: string) => {
      try {
        ws.parse(value)
        return true
      } catch {
        return false
      }
    }
    const text = (...pieces: string[]) =>
      fc.array(fc.constantFrom(...pieces), { maxLength: 4 }).map((parts) => parts.join(''))
    const noise = text('a', ';', '=', '"', ',', ' ', '\\', '@', 'é')
    const value = fc.oneof(
      text('c', '1'),
      text('c', '\\', '\\d', ' ', '"').map((quoted) => `"${quoted}"`),
      noise
    )
    const parameter = fc.oneof(
      fc.tuple(fc.constantFrom(';', '; ', ' ;\t'), value).map(([start, given]) => `${start}b=${given}`),
      noise
    )
    const member = fc.array(parameter, { maxLength: 2 }).map((parameters) => `a${parameters.join('')}`)
    const anyList = fc.array(fc.oneof(member, noise), { maxLength: 3 }).map((members) => members.join(', '))
    fc.assert(
      fc.property(anyList, (value) => {
        expect(isExtensionList(value)).toBe(wsReads(listMembers(value).join(',')))
      }),
      { numRuns: 5_000 }
    )
  })

  test('never makes the check throw anything but a refusal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const refusal = refusalOf(() => validateHandshake(request({ 'Sec-WebSocket-Extensions': value })))
        expect(refusal?.code ?? 'HANDSHAKE_EXTENSION').toBe('HANDSHAKE_EXTENSION')
      })
    )
  })

  test.each([' ', '\t', ';', ',', 'a', 'a;', ';a=', 'a,', '"', '=', '\\', 'a;b="'])(
    'security: is read to the end with a million times %j',
    (part) => {
      const long = part.repeat(1_000_000)
      expect(typeof isExtensionList(long)).toBe('boolean')
      expect(isExtensionList(`a${long}@`)).toBe(false)
    }
  )
})

test('accepts the handshake of RFC 6455 §1.3', () => {
  const req = request({
    Host: 'server.example.com',
    Origin: 'http://example.com',
    'Sec-WebSocket-Protocol': 'chat, superchat'
  })
  expect(refusalOf(() => validateHost(req))).toBeUndefined()
  expect(refusalOf(() => validateRequest(req))).toBeUndefined()
  expect(refusalOf(() => validateHandshake(req))).toBeUndefined()
})
