import type { IncomingMessage } from 'node:http'
import fc from 'fast-check'
import { type EffectiveRequest, effectiveRequest } from '../../src/rules/effective.ts'
import { type AllowedOrigins, compileOrigins } from '../../src/rules/origin.ts'

type Row = [name: string, rule: AllowedOrigins, origin: string, effective: EffectiveRequest, allowed: boolean]

const app: EffectiveRequest = { host: 'app.example', scheme: undefined }
const tls: EffectiveRequest = { host: 'app.example', scheme: 'https' }
const plain: EffectiveRequest = { host: 'app.example', scheme: 'http' }
const at = (host: string | undefined, scheme?: 'http' | 'https'): EffectiveRequest => ({ host, scheme })

const listed = ['https://good.example']
const wild = ['https://*.example.com']

function check(_name: string, rule: AllowedOrigins, origin: string, effective: EffectiveRequest, allowed: boolean) {
  expect(compileOrigins(rule).allows(origin, effective)).toBe(allowed)
}

describe('the server’s own origin', () => {
  const same = 'same-origin'
  const rows: Row[] = [
    ['allows the same host over https', same, 'https://app.example', app, true],
    ['allows the same host over http', same, 'http://app.example', app, true],
    ['allows the same host if the scheme is known and equal', same, 'https://app.example', tls, true],
    ['allows the same host if the scheme is known to be http', same, 'http://app.example', plain, true],
    ['refuses another host', same, 'https://evil.example', app, false],
    ['refuses a host that is a subdomain', same, 'https://www.app.example', app, false],
    ['refuses a host that is the parent domain', same, 'https://example', app, false],
    ['refuses another port', same, 'https://app.example:8443', app, false],
    ['refuses another port of the same machine', same, 'http://localhost:5173', at('localhost:3000'), false],
    ['allows the same unusual port', same, 'http://localhost:3000', at('localhost:3000'), true],
    ['refuses http on a server that is known to be https', same, 'http://app.example', tls, false],
    ['refuses https on a server that is known to be http', same, 'https://app.example', plain, false],
    ['refuses another scheme on the same unusual port', same, 'http://a:8443', at('a:8443', 'https'), false],
    ['allows either scheme on an unusual port if the scheme is unknown', same, 'http://a:8443', at('a:8443'), true],
    ['treats 443 as the default port of https in the host', same, 'https://a', at('a:443'), true],
    ['treats 80 as the default port of http in the host', same, 'http://a', at('a:80'), true],
    ['treats 443 as the default port of https in the origin', same, 'https://a:443', at('a'), true],
    ['treats 80 as the default port of http in the origin', same, 'http://a:80', at('a'), true],
    ['treats default ports on both sides as equal', same, 'https://a:443', at('a:443', 'https'), true],
    ['does not treat 443 as the default port of http', same, 'http://a', at('a:443'), false],
    ['does not treat 80 as the default port of https', same, 'https://a', at('a:80'), false],
    ['does not treat port 443 of http as port 80', same, 'http://a:443', at('a'), false],
    ['reads a host with an empty port as one without', same, 'https://a', at('a:'), true],
    ['ignores the case of the origin’s host', same, 'https://APP.Example', app, true],
    ['ignores the case of the origin’s scheme', same, 'HTTPS://app.example', tls, true],
    ['ignores the case of the field Host', same, 'https://app.example', at('App.EXAMPLE'), true],
    ['allows an IPv6 host', same, 'http://[::1]', at('[::1]'), true],
    ['allows an IPv6 host with a port', same, 'http://[::1]:3000', at('[::1]:3000'), true],
    ['allows an IPv6 host regardless of the case', same, 'http://[2001:DB8::a]', at('[2001:db8::A]:80'), true],
    ['refuses an IPv6 host with another port', same, 'http://[::1]:3001', at('[::1]:3000'), false],
    ['refuses another IPv6 host', same, 'http://[::2]', at('[::1]'), false],
    ['refuses an IPv6 host without brackets', same, 'http://::1', at('::1'), false],
    ['allows an IPv4 host', same, 'http://127.0.0.1:3000', at('127.0.0.1:3000'), true],
    ['distinguishes localhost from 127.0.0.1', same, 'http://localhost:3000', at('127.0.0.1:3000'), false],
    ['refuses null', same, 'null', app, false],
    ['refuses null if the host is null', same, 'null', at('null'), false],
    ['refuses an empty value', same, '', app, false],
    ['refuses every origin if there is no host', same, 'https://app.example', at(undefined), false],
    ['refuses every origin if the host is empty', same, 'https://app.example', at(''), false],
    ['refuses every origin if the host is malformed', same, 'https://app.example', at('app.example/'), false],
    ['refuses a host with user information', same, 'https://app.example', at('user@app.example'), false],
    ['refuses an extension’s scheme', same, 'chrome-extension://app.example', app, false],
    ['treats wss as https, as some clients do', same, 'wss://app.example', tls, true],
    ['treats ws as http, as some clients do', same, 'ws://app.example:80', at('app.example'), true],
    ['accepts the default port of wss in the host', same, 'wss://app.example', at('app.example:443'), true],
    ['refuses ws on a server that is known to be https', same, 'ws://app.example', tls, false],
    ['refuses wss to another host', same, 'wss://evil.example', tls, false],
    ['security: refuses a path after its own origin', same, 'https://app.example/', tls, false],
    ['security: refuses file:// if there is no host', same, 'file://', at(''), false],
    ['security: refuses the scheme of a program', same, 'app://.', at('.'), false],
    ['refuses a name with a trailing dot', same, 'https://app.example.', app, false],
    ['allows a name with a trailing dot on both sides', same, 'https://app.example.', at('app.example.'), true],
    ['refuses two fields', same, 'https://app.example, https://app.example', app, false],
    ['works as an entry of a list', [same, ...listed], 'https://app.example', tls, true],
    ['leaves the other entries of its list in force', [same, ...listed], 'https://good.example', tls, true],
    ['allows nothing besides the entries of its list', [same, ...listed], 'https://evil.example', tls, false]
  ]
  test.each(rows)('%s', check)
})

describe('a list', () => {
  const rows: Row[] = [
    ['allows a listed origin', listed, 'https://good.example', app, true],
    ['allows the second of two listed origins', [...listed, 'http://b'], 'http://b', app, true],
    ['does not allow the server’s own origin unless it is listed', listed, 'https://app.example', tls, false],
    ['does not look at the effective request', listed, 'https://good.example', at(undefined, 'http'), true],
    ['refuses another scheme', listed, 'http://good.example', app, false],
    ['refuses another port', listed, 'https://good.example:8443', app, false],
    ['allows a listed port', ['https://good.example:8443'], 'https://good.example:8443', app, true],
    ['refuses the default port if another one is listed', ['https://a:8443'], 'https://a', app, false],
    ['reads the default port in the origin', listed, 'https://good.example:443', app, true],
    ['reads the default port in the list', ['https://good.example:443'], 'https://good.example', app, true],
    ['does not read 80 as the default port of https', ['https://a:80'], 'https://a', app, false],
    ['ignores case in the origin', listed, 'HTTPS://GOOD.example', app, true],
    ['ignores case in the list', ['HTTPS://GOOD.example'], 'https://good.example', app, true],
    ['refuses everything when it is empty', [], 'https://app.example', tls, false],
    ['refuses null when it is empty', [], 'null', app, false],
    ['refuses null unless it is listed', listed, 'null', app, false],
    ['allows null if it is listed', ['null'], 'null', app, true],
    ['refuses other origins if null is listed', ['null'], 'https://app.example', tls, false],
    ['accepts null as browsers write it, but not in capitals', ['null'], 'NULL', app, false],
    ['refuses two null fields', ['null'], 'null, null', app, false],
    ['refuses an empty value', listed, '', app, false],
    ['refuses two fields', listed, 'https://good.example, https://good.example', app, false],
    ['refuses two fields of which one is not listed', listed, 'https://evil.example, https://good.example', app, false],
    ['security: refuses a good name before an @', listed, 'https://good.example@evil.example', app, false],
    ['security: refuses a good name and port before an @', listed, 'https://good.example:443@evil.example', app, false],
    ['security: refuses a good name after an @', listed, 'https://evil.example@good.example', app, false],
    ['security: refuses a good name as the start of another', listed, 'https://good.example.evil', app, false],
    ['security: refuses a good name as the end of another', listed, 'https://evilgood.example', app, false],
    ['security: refuses a good name as a subdomain’s end', listed, 'https://evil.good.example', app, false],
    ['security: refuses a path', listed, 'https://good.example/path', app, false],
    ['security: refuses a trailing slash', listed, 'https://good.example/', app, false],
    ['security: refuses a query', listed, 'https://good.example?', app, false],
    ['security: refuses a fragment', listed, 'https://good.example#', app, false],
    ['security: refuses a good name in the fragment', listed, 'https://evil.example#https://good.example', app, false],
    ['security: refuses a backslash', listed, 'https://good.example\\.evil.example', app, false],
    ['security: refuses backslashes instead of slashes', listed, 'https:\\\\good.example', app, false],
    ['security: refuses a missing slash', listed, 'https:/good.example', app, false],
    ['security: refuses a third slash', listed, 'https:///good.example', app, false],
    ['security: refuses a missing scheme', listed, 'good.example', app, false],
    ['security: refuses a leading space', listed, ' https://good.example', app, false],
    ['security: refuses a trailing space', listed, 'https://good.example ', app, false],
    ['security: refuses a tab inside', listed, 'https://good\t.example', app, false],
    ['security: refuses a trailing line feed', listed, 'https://good.example\n', app, false],
    ['security: refuses a second line', listed, 'https://good.example\r\nhttps://evil.example', app, false],
    ['security: refuses a NUL', listed, 'https://good.example\0', app, false],
    ['security: refuses a NUL before another name', listed, 'https://good.example\0.evil.example', app, false],
    ['security: refuses a trailing dot', listed, 'https://good.example.', app, false],
    ['security: refuses an escaped dot', listed, 'https://good%2eexample', app, false],
    ['security: refuses an empty port', listed, 'https://good.example:', app, false],
    ['security: refuses a port that is not a number', listed, 'https://good.example:https', app, false],
    ['security: refuses a port of six digits', listed, 'https://good.example:000443', app, false],
    ['security: refuses a negative port', listed, 'https://good.example:-443', app, false],
    ['security: refuses two ports', listed, 'https://good.example:443:443', app, false],
    ['allows punycode if it is listed', ['https://xn--bcher-kva.example'], 'https://xn--bcher-kva.example', app, true],
    [
      'security: refuses letters outside ASCII',
      ['https://xn--bcher-kva.example'],
      'https://bücher.example',
      app,
      false
    ],
    ['security: refuses a letter that only looks like a listed one', listed, 'https://gооd.example', app, false],
    ['security: refuses a full-width dot', listed, 'https://good．example', app, false],
    [
      'security: refuses a letter outside ASCII whose lower case is in ASCII',
      ['https://kit.example'],
      'https://\u212Ait.example',
      app,
      false
    ],
    ['allows an extension', ['chrome-extension://abcdefgh'], 'chrome-extension://abcdefgh', app, true],
    ['refuses another extension', ['chrome-extension://abcdefgh'], 'chrome-extension://evilevil', app, false],
    ['distinguishes kinds of extension', ['chrome-extension://abcdefgh'], 'moz-extension://abcdefgh', app, false],
    ['allows a scheme with plus, dot and minus', ['a+b.c-1://host'], 'a+b.c-1://host', app, true],
    ['knows no default port of other schemes', ['capacitor://localhost'], 'capacitor://localhost:443', app, false],
    ['allows IPv6', ['http://[::1]:3000'], 'http://[::1]:3000', app, true],
    ['allows file:// if it is listed', ['file://'], 'file://', app, true],
    ['allows file:/// if it is listed, and file:// with it', ['file:///'], 'file:///', app, true],
    ['allows file:// if file:/// is listed', ['file:///'], 'file://', app, true],
    ['refuses file:// if it is not listed', listed, 'file://', app, false],
    ['allows the origin of a program if it is listed', ['app://.'], 'app://.', app, true],
    ['ignores case in the scheme of a program', ['APP://.'], 'App://.', app, true],
    ['refuses the origin of another program', ['app://.'], 'file://.', app, false],
    ['allows a slash at the end if it is listed', ['http://localhost/'], 'http://localhost/', app, true],
    ['allows the origin if it is listed with a slash', ['http://localhost/'], 'http://localhost', app, true],
    ['refuses a slash if it is not listed', ['http://localhost'], 'http://localhost/', app, false],
    ['allows an empty value if it is listed', [''], '', app, true],
    ['refuses an empty value if it is not listed', listed, '', app, false],
    ['treats wss as https in the origin', listed, 'wss://good.example', app, true],
    ['treats wss as https in the list', ['wss://good.example'], 'https://good.example', app, true],
    ['accepts the default port of ws', ['http://a'], 'ws://a:80', app, true],
    ['does not treat ws as https', listed, 'ws://good.example', app, false],
    ['security: refuses a path of a local page', ['file://'], 'file:///etc', app, false]
  ]
  test.each(rows)('%s', check)
})

describe('a wildcard', () => {
  const rows: Row[] = [
    ['matches one label', wild, 'https://a.example.com', app, true],
    ['matches several labels', wild, 'https://a.b-1.c_2.example.com', app, true],
    ['ignores case', ['HTTPS://*.EXAMPLE.com'], 'https://A.example.COM', app, true],
    ['matches a label in punycode', wild, 'https://xn--bcher-kva.example.com', app, true],
    ['never matches the apex', wild, 'https://example.com', app, false],
    ['leaves the apex to an entry of its own', [...wild, 'https://example.com'], 'https://example.com', app, true],
    ['reads the default port in the origin', wild, 'https://a.example.com:443', app, true],
    ['refuses another port', wild, 'https://a.example.com:8443', app, false],
    ['allows its own port', ['https://*.example.com:8443'], 'https://a.example.com:8443', app, true],
    ['refuses the default port if it has another', ['https://*.example.com:8443'], 'https://a.example.com', app, false],
    ['refuses another scheme', wild, 'http://a.example.com', app, false],
    ['refuses another scheme on the same port', ['https://*.a.b:9'], 'http://x.a.b:9', app, false],
    ['security: needs a dot before the name', wild, 'https://evil-example.com', app, false],
    ['security: does not match the end of a label', wild, 'https://evilexample.com', app, false],
    ['security: refuses the name at the beginning of another', wild, 'https://a.example.com.evil', app, false],
    ['security: refuses an empty label', wild, 'https://.example.com', app, false],
    ['security: refuses two dots before the name', wild, 'https://a..example.com', app, false],
    ['security: refuses two dots between labels', wild, 'https://a..b.example.com', app, false],
    ['security: refuses a leading dot', wild, 'https://.a.example.com', app, false],
    ['security: refuses a trailing dot', wild, 'https://a.example.com.', app, false],
    ['security: refuses user information', wild, 'https://evil.test@a.example.com', app, false],
    ['security: refuses a path with the name', wild, 'https://evil.test/a.example.com', app, false],
    ['security: refuses a fragment with the name', wild, 'https://evil.test#.example.com', app, false],
    ['security: refuses an asterisk', wild, 'https://*.example.com', app, false],
    ['security: refuses two fields', wild, 'https://a.example.com, https://b.example.com', app, false],
    ['refuses null', wild, 'null', app, false],
    ['works in schemes of applications', ['app+x://*.local'], 'app+x://one.local', app, true],
    ['matches every extension', ['chrome-extension://*'], 'chrome-extension://abcdefgh', app, true],
    ['ignores case in the scheme of extensions', ['MOZ-extension://*'], 'moz-extension://6f1c-2', app, true],
    ['matches every host of a scheme, with any port', ['app://*'], 'app://a.b:5', app, true],
    ['matches an empty host', ['file://*'], 'file://', app, true],
    ['refuses other kinds of extensions', ['chrome-extension://*'], 'moz-extension://abcdefgh', app, false],
    ['treats wss as https', ['wss://*.example.com'], 'https://a.example.com', app, true],
    ['security: refuses a page with the scheme in its name', ['app://*'], 'https://app.evil', app, false],
    ['security: refuses a page with the scheme in its path', ['app://*'], 'https://evil/app://a', app, false],
    ['security: refuses a path after an extension', ['app://*'], 'app://a/b', app, false],
    ['security: refuses two fields of extensions', ['app://*'], 'app://a, app://b', app, false],
    ['refuses null for a scheme', ['app://*'], 'null', app, false]
  ]
  test.each(rows)('%s', check)
})

describe('a regular expression', () => {
  const rows: Row[] = [
    ['allows what it matches', [/https:\/\/[a-z]+\.example/], 'https://shop.example', app, true],
    ['refuses what it does not match', [/https:\/\/[a-z]+\.example/], 'https://shop1.example', app, false],
    ['security: has to match to the end', [/https:\/\/good\.example/], 'https://good.example.evil', app, false],
    ['security: has to match from the beginning', [/good\.example/], 'https://good.example', app, false],
    ['security: has to match the port too', [/https:\/\/good\.example/], 'https://good.example:8443', app, false],
    ['security: has every alternative match the whole', [/https:\/\/a|https:\/\/b/], 'https://a.evil', app, false],
    [
      'security: has the last alternative match the whole',
      [/https:\/\/a|b\.example/],
      'https://evilb.example',
      app,
      false
    ],
    ['allows the last alternative', [/https:\/\/a|https:\/\/b/], 'https://b', app, true],
    ['accepts its own anchors', [/^https:\/\/a$/], 'https://a', app, true],
    ['keeps the flag i', [/HTTPS:\/\/A/i], 'https://a', app, true],
    ['keeps the flag u', [/https:\/\/\u{61}/u], 'https://a', app, true],
    ['security: has no use for the flag m', [/^https:\/\/a$/m], 'https://evil\nhttps://a', app, false],
    ['matches the origin in lower case and without its default port', [/https:\/\/a/], 'HTTPS://A:443', app, true],
    ['sees the value as it was sent', [/https:\/\/a\/path/], 'https://a/path', app, true],
    ['sees an empty value', [/^$/], '', app, true],
    ['sees the origin of a local page', [/file:\/\//], 'file://', app, true],
    ['sees the origin of a program', [/app:\/\/\./], 'app://.', app, true],
    ['sees a slash at the end', [/http:\/\/localhost\//], 'http://localhost/', app, true],
    ['treats wss as https', [/https:\/\/a/], 'wss://a', app, true],
    ['sees wss too', [/wss:\/\/a/], 'wss://a', app, true],
    ['security: has to match the whole of what is no origin', [/file:\/\//], 'file://evil', app, false],
    ['security: never sees what is longer than any origin', [/.*/], `https://${'a'.repeat(65_536)}`, app, false],
    ['security: never sees two fields', [/.*/], 'https://a, https://b', app, false],
    ['never sees null', [/.*/], 'null', app, false],
    ['allows null if null is listed next to it', [/https:\/\/a/, 'null'], 'null', app, true],
    ['sees IPv6', [/http:\/\/\[::1\]:\d+/], 'http://[::1]:3000', app, true]
  ]
  test.each(rows)('%s', check)

  test.each(['g', 'y', 'gy', 'gim'])('answers the same each time with the flags %s', (flags) => {
    const policy = compileOrigins([new RegExp('https://[a-z]+\\.example', flags)])
    const answers = Array.from({ length: 4 }, () => policy.allows('https://shop.example', app))
    expect(answers).toEqual([true, true, true, true])
    expect(policy.allows('https://shop.example.evil', app)).toBe(false)
  })

  test('does not change the given expression', () => {
    const entry = /https:\/\/a/g
    compileOrigins([entry]).allows('https://a', app)
    expect(entry.lastIndex).toBe(0)
  })
})

describe('a function', () => {
  test.each([
    'https://app.example',
    'HTTPS://App.Example:443',
    'wss://app.example',
    'file://',
    'app://.',
    '',
    'a',
    'https://a/'
  ])('gets %j as it was sent, and the effective request', (origin) => {
    const decide = jest.fn(() => true)
    expect(compileOrigins(decide).allows(origin, tls)).toBe(true)
    expect(decide.mock.calls).toEqual([[origin, tls]])
  })

  test('gets a port other than the default', () => {
    const decide = jest.fn(() => true)
    compileOrigins(decide).allows('http://app.example:443', app)
    expect(decide.mock.calls).toEqual([['http://app.example:443', app]])
  })

  test('decides about null', () => {
    const decide = jest.fn((origin: string) => origin === 'null')
    expect(compileOrigins(decide).allows('null', app)).toBe(true)
    expect(compileOrigins(() => false).allows('null', app)).toBe(false)
  })

  test('refuses origins for which it returns false', () => {
    expect(compileOrigins(() => false).allows('https://app.example', tls)).toBe(false)
  })

  test.each(['https://a, https://b', 'null, null', ', https://a', 'https://a,'])(
    'security: is not called for %j, which are two fields',
    (origin) => {
      const decide = jest.fn(() => true)
      expect(compileOrigins(decide).allows(origin, app)).toBe(false)
      expect(decide).not.toHaveBeenCalled()
    }
  )

  test('security: is not called for a value longer than any origin', () => {
    const decide = jest.fn(() => true)
    expect(compileOrigins(decide).allows(`https://${'a'.repeat(65_536)}`, app)).toBe(false)
    expect(decide).not.toHaveBeenCalled()
  })

  test.each([
    ['a promise', async () => true, '[object Promise]'],
    ['a promise of false', async () => false, '[object Promise]'],
    ['undefined', () => undefined, 'undefined'],
    ['null', () => null, 'null'],
    ['a number', () => 1, '1'],
    ['a string', () => 'yes', "'yes'"],
    ['an object', () => ({}), '[object Object]']
  ])('security: throws a TypeError when it returns %s', (_what, decide, came) => {
    const policy = compileOrigins(decide as unknown as () => boolean)
    expect(() => policy.allows('https://app.example', tls)).toThrow(
      new TypeError(`allowedOrigins: the function must return true or false synchronously; got ${came}`)
    )
  })

  test('passes on what it throws', () => {
    const policy = compileOrigins(() => {
      throw new RangeError('no database')
    })
    expect(() => policy.allows('https://app.example', tls)).toThrow(new RangeError('no database'))
  })
})

describe('any', () => {
  const rows: Row[] = [
    ['allows every origin', 'any', 'https://evil.example', app, true],
    ['allows null', 'any', 'null', app, true],
    ['allows another scheme', 'any', 'moz-extension://abc', app, true],
    ['refuses two fields', 'any', 'https://app.example, https://app.example', app, false],
    ['refuses two null fields', 'any', 'null, null', app, false]
  ]
  test.each(rows)('%s', check)
})

describe('compileOrigins', () => {
  const list = "allowedOrigins: expected 'same-origin', 'any', a list of origins, or a function; got "
  const origin = "allowedOrigins: expected an origin such as 'https://app.example' (scheme, host, port, no path); got "
  const wildcard = "allowedOrigins: a wildcard stands for whole labels at the left, as in 'https://*.app.example'; got "

  test.each([
    [
      'a string that is not a list',
      'https://app.example',
      `${list}'https://app.example'; did you mean ['https://app.example']?`
    ],
    ['an asterisk that is not a list', '*', `${list}'*'; did you mean 'any'?`],
    ['a misspelt word', 'same_origin', `${list}'same_origin'; did you mean 'same-origin'?`],
    ['a host that is not a list', 'localhost:5173', `${list}'localhost:5173'; did you mean ['http://localhost:5173']?`],
    ['a slash at the end', 'https://a.b/', `${list}'https://a.b/'; did you mean ['https://a.b']?`],
    ['an empty string', '', `${list}''`],
    ['null', null, `${list}null`],
    ['undefined', undefined, `${list}undefined`],
    ['a number', 5, `${list}5`],
    ['true', true, `${list}true`],
    ['an object', {}, `${list}[object Object]`],
    ['a regular expression that is not a list', /x/, `${list}/x/; did you mean [/x/]?`],
    [
      'an entry with a path',
      ['https://app.example/chat'],
      `${origin}'https://app.example/chat'; did you mean 'https://app.example'?`
    ],
    [
      'an entry with two trailing slashes',
      ['https://app.example//'],
      `${origin}'https://app.example//'; did you mean 'https://app.example'?`
    ],
    ['a scheme of the web without a host', ['https://'], `${origin}'https://'`],
    ['the scheme wss without a host', ['wss://.'], `${origin}'wss://.'`],
    [
      'an entry with a query',
      ['https://app.example?'],
      `${origin}'https://app.example?'; did you mean 'https://app.example'?`
    ],
    ['an entry with user information', ['https://me@app.example'], `${origin}'https://me@app.example'`],
    ['an entry without a scheme', ['app.example'], `${origin}'app.example'; did you mean 'https://app.example'?`],
    [
      'a machine at home without a scheme',
      ['10.0.0.2:81'],
      `${origin}'10.0.0.2:81'; did you mean 'http://10.0.0.2:81'?`
    ],
    ['an entry without a colon', ['http//a.b:81'], `${origin}'http//a.b:81'; did you mean 'http://a.b:81'?`],
    ['an entry with one slash', ['http:/a.b'], `${origin}'http:/a.b'; did you mean 'http://a.b'?`],
    ['a misspelt word as an entry', ['sameorigin'], `${origin}'sameorigin'; did you mean 'same-origin'?`],
    [
      'an entry with a space',
      [' https://app.example'],
      `${origin}' https://app.example'; did you mean 'https://app.example'?`
    ],
    ['an entry outside ASCII', ['https://bücher.example'], `${origin}'https://bücher.example'`],
    ['an entry with an empty port', ['https://app.example:'], `${origin}'https://app.example:'`],
    ['an entry of null', [null], `${origin}null`],
    ['an entry of undefined', [undefined], `${origin}undefined`],
    ['a number as an entry', [80], `${origin}80`],
    ['a second bad entry', ['https://app.example', 'nope'], `${origin}'nope'`],
    ["'any' in a list", ['any'], `${origin}'any'; did you mean allowedOrigins: 'any'?`],
    ['an asterisk as an entry', ['*'], `${wildcard}'*'; did you mean allowedOrigins: 'any'?`],
    ['an asterisk in place of the host', ['https://*'], `${wildcard}'https://*'`],
    ['an asterisk in place of the host of wss', ['wss://*'], `${wildcard}'wss://*'`],
    ['an asterisk in place of the scheme', ['*://app.example'], `${wildcard}'*://app.example'`],
    ['an asterisk at the right', ['https://app.*'], `${wildcard}'https://app.*'`],
    ['an asterisk in the middle', ['https://a.*.com'], `${wildcard}'https://a.*.com'`],
    ['an asterisk for a part of a label', ['https://a*.example.com'], `${wildcard}'https://a*.example.com'`],
    ['an asterisk without a dot', ['https://*example.com'], `${wildcard}'https://*example.com'`],
    ['two asterisks', ['https://*.*.example.com'], `${wildcard}'https://*.*.example.com'`],
    [
      'an asterisk in place of the port',
      ['https://app.example:*'],
      `${wildcard}'https://app.example:*'; did you mean /https:\\/\\/app\\.example:\\d+/?`
    ],
    ['a wildcard without a scheme', ['*.a.b'], `${wildcard}'*.a.b'; did you mean 'https://*.a.b'?`],
    [
      'a wildcard with a path',
      ['https://*.example.com/'],
      `${wildcard}'https://*.example.com/'; did you mean 'https://*.example.com'?`
    ]
  ])('throws a TypeError for %s', (_what, allowed, message) => {
    expect(() => compileOrigins(allowed as AllowedOrigins)).toThrow(new TypeError(message))
  })

  test.each(['https://.example.com', 'https://a..b', 'https://app.example:70000', 'https://*..example.com'])(
    'throws a TypeError for %s, which no browser could ever send',
    (entry) => {
      expect(() => compileOrigins([entry])).toThrow(TypeError)
    }
  )

  test.each<[rule: AllowedOrigins, text: string]>([
    ['same-origin', "'same-origin'"],
    ['any', "'any'"],
    [() => true, 'a function'],
    [[], 'an empty list'],
    [['https://a', 'null', 'https://*.b'], "'https://a', 'null', 'https://*.b'"],
    [[/https:\/\/a/i], '/https:\\/\\/a/i']
  ])('prints the rule %p for operators', (rule, text) => {
    expect(compileOrigins(rule).rule).toBe(text)
  })

  test.each<[rule: AllowedOrigins, list: AllowedOrigins | undefined]>([
    ['same-origin', ['same-origin']],
    [
      ['https://a', 'same-origin', /b/],
      ['https://a', 'same-origin', /b/]
    ],
    [[], []],
    [() => true, undefined],
    ['any', undefined]
  ])('knows the entries of the rule %p', (rule, list) => {
    expect(compileOrigins(rule).list).toEqual(list)
  })

  test('does not notice later changes of the list', () => {
    const list = ['https://a']
    const policy = compileOrigins(list)
    list.push('https://b')
    expect(policy.allows('https://b', app)).toBe(false)
    expect(policy.list).toEqual(['https://a'])
  })

  const rules: AllowedOrigins[] = ['same-origin', listed, wild, [/https:\/\/a/], () => true, 'any']

  test.each(rules)('answers true or false to any string, under the rule %p', (rule) => {
    const policy = compileOrigins(rule)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (origin, host) => {
        expect(typeof policy.allows(origin, { host })).toBe('boolean')
      })
    )
  })

  test('security: allows nothing that begins with a listed origin except its default port', () => {
    const policy = compileOrigins(listed)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (rest) => {
        expect(policy.allows(`https://good.example${rest}`, app)).toBe(/^:0{0,2}443$/.test(rest))
      })
    )
  })

  test('security: allows nothing that ends with a listed origin', () => {
    const policy = compileOrigins([...listed, ...wild])
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (start) => {
        expect(policy.allows(`${start}https://good.example`, app)).toBe(false)
        expect(policy.allows(`${start}https://a.example.com`, app)).toBe(false)
      })
    )
  })

  test.each(['a', 'a.', '.', 'a-', '[', ':', '/', '@', ' ', '1', '\0'])(
    'security: reads an origin of a million times %j',
    (part) => {
      const long = part.repeat(1_000_000)
      for (const rule of ['same-origin', listed, ['https://*.a']] as AllowedOrigins[]) {
        const policy = compileOrigins(rule)
        expect(policy.allows(`https://${long}`, at(`${long}!`))).toBe(false)
        expect(policy.allows(`${long}`, at(long))).toBe(false)
        expect(policy.allows(`https://good.example:${long}`, app)).toBe(false)
      }
    }
  )

  test('allows a very long origin if it is listed', () => {
    const long = `https://${'a.'.repeat(500_000)}example`
    expect(compileOrigins([long]).allows(long, app)).toBe(true)
  })
})

describe('effectiveRequest', () => {
  const request = (host: string | undefined, socket: object) =>
    ({ headers: { host }, socket }) as unknown as IncomingMessage

  test('reads host and port from the field Host', () => {
    expect(effectiveRequest(request('app.example:8443', {})).host).toBe('app.example:8443')
  })

  test('has no host if the field is missing', () => {
    expect(effectiveRequest(request(undefined, {})).host).toBeUndefined()
  })

  test('knows the scheme of a TLS connection', () => {
    expect(effectiveRequest(request('a', { encrypted: true })).scheme).toBe('https')
  })

  test('does not know the scheme of a plain connection, because TLS may end before it', () => {
    expect(effectiveRequest(request('a', {})).scheme).toBeUndefined()
  })

  test('security: trusts no forwarded field', () => {
    const req = request('a', {})
    Object.assign(req.headers, { 'x-forwarded-host': 'evil', 'x-forwarded-proto': 'https', forwarded: 'host=evil' })
    expect(effectiveRequest(req)).toEqual({ host: 'a', scheme: undefined })
  })
})
