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
    ['lets the same host in over https', same, 'https://app.example', app, true],
    ['lets the same host in over http', same, 'http://app.example', app, true],
    ['lets the same host in where the scheme is known and equal', same, 'https://app.example', tls, true],
    ['lets the same host in where the scheme is known to be http', same, 'http://app.example', plain, true],
    ['keeps another host out', same, 'https://evil.example', app, false],
    ['keeps a host out that is a subdomain', same, 'https://www.app.example', app, false],
    ['keeps a host out that is the parent domain', same, 'https://example', app, false],
    ['keeps another port out', same, 'https://app.example:8443', app, false],
    ['keeps another port of the same machine out', same, 'http://localhost:5173', at('localhost:3000'), false],
    ['lets the same unusual port in', same, 'http://localhost:3000', at('localhost:3000'), true],
    ['keeps http out of a server that is known to be https', same, 'http://app.example', tls, false],
    ['keeps https out of a server that is known to be http', same, 'https://app.example', plain, false],
    ['keeps another scheme out on the same unusual port', same, 'http://a:8443', at('a:8443', 'https'), false],
    ['lets either scheme in on an unusual port where the scheme is unknown', same, 'http://a:8443', at('a:8443'), true],
    ['takes 443 for the default port of https in the host', same, 'https://a', at('a:443'), true],
    ['takes 80 for the default port of http in the host', same, 'http://a', at('a:80'), true],
    ['takes 443 for the default port of https in the origin', same, 'https://a:443', at('a'), true],
    ['takes 80 for the default port of http in the origin', same, 'http://a:80', at('a'), true],
    ['takes the default port on both sides for the same', same, 'https://a:443', at('a:443', 'https'), true],
    ['does not take 443 for the default port of http', same, 'http://a', at('a:443'), false],
    ['does not take 80 for the default port of https', same, 'https://a', at('a:80'), false],
    ['does not take port 443 of http for port 80', same, 'http://a:443', at('a'), false],
    ['reads a host with an empty port as one without', same, 'https://a', at('a:'), true],
    ['ignores the case of the origin’s host', same, 'https://APP.Example', app, true],
    ['ignores the case of the origin’s scheme', same, 'HTTPS://app.example', tls, true],
    ['ignores the case of the field Host', same, 'https://app.example', at('App.EXAMPLE'), true],
    ['lets an IPv6 host in', same, 'http://[::1]', at('[::1]'), true],
    ['lets an IPv6 host with a port in', same, 'http://[::1]:3000', at('[::1]:3000'), true],
    ['lets an IPv6 host in regardless of the case', same, 'http://[2001:DB8::a]', at('[2001:db8::A]:80'), true],
    ['keeps an IPv6 host with another port out', same, 'http://[::1]:3001', at('[::1]:3000'), false],
    ['keeps another IPv6 host out', same, 'http://[::2]', at('[::1]'), false],
    ['keeps an IPv6 host without brackets out', same, 'http://::1', at('::1'), false],
    ['lets an IPv4 host in', same, 'http://127.0.0.1:3000', at('127.0.0.1:3000'), true],
    ['tells localhost from 127.0.0.1', same, 'http://localhost:3000', at('127.0.0.1:3000'), false],
    ['keeps null out', same, 'null', app, false],
    ['keeps null out where the host is null', same, 'null', at('null'), false],
    ['keeps an empty value out', same, '', app, false],
    ['keeps every origin out where there is no host', same, 'https://app.example', at(undefined), false],
    ['keeps every origin out where the host is empty', same, 'https://app.example', at(''), false],
    ['keeps every origin out where the host is malformed', same, 'https://app.example', at('app.example/'), false],
    ['keeps a host with user information out', same, 'https://app.example', at('user@app.example'), false],
    ['keeps an extension’s scheme out', same, 'chrome-extension://app.example', app, false],
    ['takes wss for https, as some clients do', same, 'wss://app.example', tls, true],
    ['takes ws for http, as some clients do', same, 'ws://app.example:80', at('app.example'), true],
    ['takes the default port of wss in the host', same, 'wss://app.example', at('app.example:443'), true],
    ['keeps ws out of a server that is known to be https', same, 'ws://app.example', tls, false],
    ['keeps wss to another host out', same, 'wss://evil.example', tls, false],
    ['security: keeps a path behind its own origin out', same, 'https://app.example/', tls, false],
    ['security: keeps file:// out where there is no host', same, 'file://', at(''), false],
    ['security: keeps the scheme of a program out', same, 'app://.', at('.'), false],
    ['keeps a name with a trailing dot out', same, 'https://app.example.', app, false],
    ['lets a name with a trailing dot in on both sides', same, 'https://app.example.', at('app.example.'), true],
    ['keeps two fields out', same, 'https://app.example, https://app.example', app, false],
    ['works as an entry of a list', [same, ...listed], 'https://app.example', tls, true],
    ['leaves the other entries of its list in force', [same, ...listed], 'https://good.example', tls, true],
    ['lets nothing else in beside the entries of its list', [same, ...listed], 'https://evil.example', tls, false]
  ]
  test.each(rows)('%s', check)
})

describe('a list', () => {
  const rows: Row[] = [
    ['lets a listed origin in', listed, 'https://good.example', app, true],
    ['lets the second of two listed origins in', [...listed, 'http://b'], 'http://b', app, true],
    ['does not let the server’s own origin in unasked', listed, 'https://app.example', tls, false],
    ['does not look at the effective request', listed, 'https://good.example', at(undefined, 'http'), true],
    ['keeps another scheme out', listed, 'http://good.example', app, false],
    ['keeps another port out', listed, 'https://good.example:8443', app, false],
    ['lets a listed port in', ['https://good.example:8443'], 'https://good.example:8443', app, true],
    ['keeps the default port out where another is listed', ['https://a:8443'], 'https://a', app, false],
    ['reads the default port in the origin', listed, 'https://good.example:443', app, true],
    ['reads the default port in the list', ['https://good.example:443'], 'https://good.example', app, true],
    ['does not read 80 as the default port of https', ['https://a:80'], 'https://a', app, false],
    ['ignores case in the origin', listed, 'HTTPS://GOOD.example', app, true],
    ['ignores case in the list', ['HTTPS://GOOD.example'], 'https://good.example', app, true],
    ['keeps everything out when it is empty', [], 'https://app.example', tls, false],
    ['keeps null out when it is empty', [], 'null', app, false],
    ['keeps null out unless it is listed', listed, 'null', app, false],
    ['lets null in where it is listed', ['null'], 'null', app, true],
    ['keeps other origins out where null is listed', ['null'], 'https://app.example', tls, false],
    ['takes null as browsers write it and not in capitals', ['null'], 'NULL', app, false],
    ['keeps two null fields out', ['null'], 'null, null', app, false],
    ['keeps an empty value out', listed, '', app, false],
    ['keeps two fields out', listed, 'https://good.example, https://good.example', app, false],
    [
      'keeps two fields out of which one is not listed',
      listed,
      'https://evil.example, https://good.example',
      app,
      false
    ],
    ['security: keeps a good name before an @ out', listed, 'https://good.example@evil.example', app, false],
    [
      'security: keeps a good name and port before an @ out',
      listed,
      'https://good.example:443@evil.example',
      app,
      false
    ],
    ['security: keeps a good name after an @ out', listed, 'https://evil.example@good.example', app, false],
    ['security: keeps a good name as the beginning of another out', listed, 'https://good.example.evil', app, false],
    ['security: keeps a good name as the end of another out', listed, 'https://evilgood.example', app, false],
    ['security: keeps a good name as a subdomain’s end out', listed, 'https://evil.good.example', app, false],
    ['security: keeps a path out', listed, 'https://good.example/path', app, false],
    ['security: keeps a trailing slash out', listed, 'https://good.example/', app, false],
    ['security: keeps a query out', listed, 'https://good.example?', app, false],
    ['security: keeps a fragment out', listed, 'https://good.example#', app, false],
    [
      'security: keeps a good name in the fragment out',
      listed,
      'https://evil.example#https://good.example',
      app,
      false
    ],
    ['security: keeps a backslash out', listed, 'https://good.example\\.evil.example', app, false],
    ['security: keeps a backslash in place of slashes out', listed, 'https:\\\\good.example', app, false],
    ['security: keeps a missing slash out', listed, 'https:/good.example', app, false],
    ['security: keeps a third slash out', listed, 'https:///good.example', app, false],
    ['security: keeps a missing scheme out', listed, 'good.example', app, false],
    ['security: keeps a leading space out', listed, ' https://good.example', app, false],
    ['security: keeps a trailing space out', listed, 'https://good.example ', app, false],
    ['security: keeps a tab inside out', listed, 'https://good\t.example', app, false],
    ['security: keeps a trailing line feed out', listed, 'https://good.example\n', app, false],
    ['security: keeps a second line out', listed, 'https://good.example\r\nhttps://evil.example', app, false],
    ['security: keeps a NUL out', listed, 'https://good.example\0', app, false],
    ['security: keeps a NUL before another name out', listed, 'https://good.example\0.evil.example', app, false],
    ['security: keeps a trailing dot out', listed, 'https://good.example.', app, false],
    ['security: keeps an escaped dot out', listed, 'https://good%2eexample', app, false],
    ['security: keeps an empty port out', listed, 'https://good.example:', app, false],
    ['security: keeps a port that is no number out', listed, 'https://good.example:https', app, false],
    ['security: keeps a port of six digits out', listed, 'https://good.example:000443', app, false],
    ['security: keeps a negative port out', listed, 'https://good.example:-443', app, false],
    ['security: keeps two ports out', listed, 'https://good.example:443:443', app, false],
    [
      'lets punycode in where it is listed',
      ['https://xn--bcher-kva.example'],
      'https://xn--bcher-kva.example',
      app,
      true
    ],
    [
      'security: keeps letters outside ASCII out',
      ['https://xn--bcher-kva.example'],
      'https://bücher.example',
      app,
      false
    ],
    ['security: keeps a letter out that only looks like a listed one', listed, 'https://gооd.example', app, false],
    ['security: keeps a full-width dot out', listed, 'https://good．example', app, false],
    [
      'security: keeps a letter outside ASCII out whose lower case is in ASCII',
      ['https://kit.example'],
      'https://\u212Ait.example',
      app,
      false
    ],
    ['lets an extension in', ['chrome-extension://abcdefgh'], 'chrome-extension://abcdefgh', app, true],
    ['keeps another extension out', ['chrome-extension://abcdefgh'], 'chrome-extension://evilevil', app, false],
    ['tells kinds of extension apart', ['chrome-extension://abcdefgh'], 'moz-extension://abcdefgh', app, false],
    ['lets a scheme with plus, dot and minus in', ['a+b.c-1://host'], 'a+b.c-1://host', app, true],
    ['knows no default port of other schemes', ['capacitor://localhost'], 'capacitor://localhost:443', app, false],
    ['lets IPv6 in', ['http://[::1]:3000'], 'http://[::1]:3000', app, true],
    ['lets file:// in where it is listed', ['file://'], 'file://', app, true],
    ['lets file:/// in where it is listed, and file:// with it', ['file:///'], 'file:///', app, true],
    ['lets file:// in where file:/// is listed', ['file:///'], 'file://', app, true],
    ['keeps file:// out where it is not listed', listed, 'file://', app, false],
    ['lets the origin of a program in where it is listed', ['app://.'], 'app://.', app, true],
    ['ignores case in the scheme of a program', ['APP://.'], 'App://.', app, true],
    ['keeps the origin of another program out', ['app://.'], 'file://.', app, false],
    ['lets a slash at the end in where it is listed', ['http://localhost/'], 'http://localhost/', app, true],
    ['lets the origin in where it is listed with a slash', ['http://localhost/'], 'http://localhost', app, true],
    ['keeps a slash out where it is not listed', ['http://localhost'], 'http://localhost/', app, false],
    ['lets an empty value in where it is listed', [''], '', app, true],
    ['keeps an empty value out where it is not listed', listed, '', app, false],
    ['takes wss for https in the origin', listed, 'wss://good.example', app, true],
    ['takes wss for https in the list', ['wss://good.example'], 'https://good.example', app, true],
    ['takes the default port of ws', ['http://a'], 'ws://a:80', app, true],
    ['does not take ws for https', listed, 'ws://good.example', app, false],
    ['security: keeps a path of a local page out', ['file://'], 'file:///etc', app, false]
  ]
  test.each(rows)('%s', check)
})

describe('a wildcard', () => {
  const rows: Row[] = [
    ['stands for one label', wild, 'https://a.example.com', app, true],
    ['stands for several labels', wild, 'https://a.b-1.c_2.example.com', app, true],
    ['ignores case', ['HTTPS://*.EXAMPLE.com'], 'https://A.example.COM', app, true],
    ['stands for a label in punycode', wild, 'https://xn--bcher-kva.example.com', app, true],
    ['never stands for the apex', wild, 'https://example.com', app, false],
    ['leaves the apex to an entry of its own', [...wild, 'https://example.com'], 'https://example.com', app, true],
    ['reads the default port in the origin', wild, 'https://a.example.com:443', app, true],
    ['keeps another port out', wild, 'https://a.example.com:8443', app, false],
    ['lets its own port in', ['https://*.example.com:8443'], 'https://a.example.com:8443', app, true],
    [
      'keeps the default port out where it has another',
      ['https://*.example.com:8443'],
      'https://a.example.com',
      app,
      false
    ],
    ['keeps another scheme out', wild, 'http://a.example.com', app, false],
    ['keeps another scheme out on the same port', ['https://*.a.b:9'], 'http://x.a.b:9', app, false],
    ['security: needs a dot before the name', wild, 'https://evil-example.com', app, false],
    ['security: does not stand for the end of a label', wild, 'https://evilexample.com', app, false],
    ['security: keeps the name at the beginning of another out', wild, 'https://a.example.com.evil', app, false],
    ['security: keeps an empty label out', wild, 'https://.example.com', app, false],
    ['security: keeps two dots before the name out', wild, 'https://a..example.com', app, false],
    ['security: keeps two dots between labels out', wild, 'https://a..b.example.com', app, false],
    ['security: keeps a leading dot out', wild, 'https://.a.example.com', app, false],
    ['security: keeps a trailing dot out', wild, 'https://a.example.com.', app, false],
    ['security: keeps user information out', wild, 'https://evil.test@a.example.com', app, false],
    ['security: keeps a path with the name out', wild, 'https://evil.test/a.example.com', app, false],
    ['security: keeps a fragment with the name out', wild, 'https://evil.test#.example.com', app, false],
    ['security: keeps an asterisk out', wild, 'https://*.example.com', app, false],
    ['security: keeps two fields out', wild, 'https://a.example.com, https://b.example.com', app, false],
    ['keeps null out', wild, 'null', app, false],
    ['stands in schemes of applications', ['app+x://*.local'], 'app+x://one.local', app, true],
    ['stands for every extension', ['chrome-extension://*'], 'chrome-extension://abcdefgh', app, true],
    ['ignores case in the scheme of extensions', ['MOZ-extension://*'], 'moz-extension://6f1c-2', app, true],
    ['stands for every host of a scheme, with any port', ['app://*'], 'app://a.b:5', app, true],
    ['stands for an empty host', ['file://*'], 'file://', app, true],
    ['keeps other kinds of extensions out', ['chrome-extension://*'], 'moz-extension://abcdefgh', app, false],
    ['takes wss for https', ['wss://*.example.com'], 'https://a.example.com', app, true],
    ['security: keeps a page with the scheme in its name out', ['app://*'], 'https://app.evil', app, false],
    ['security: keeps a page with the scheme in its path out', ['app://*'], 'https://evil/app://a', app, false],
    ['security: keeps a path behind an extension out', ['app://*'], 'app://a/b', app, false],
    ['security: keeps two fields of extensions out', ['app://*'], 'app://a, app://b', app, false],
    ['keeps null out of a scheme', ['app://*'], 'null', app, false]
  ]
  test.each(rows)('%s', check)
})

describe('a regular expression', () => {
  const rows: Row[] = [
    ['lets in what it matches', [/https:\/\/[a-z]+\.example/], 'https://shop.example', app, true],
    ['keeps out what it does not match', [/https:\/\/[a-z]+\.example/], 'https://shop1.example', app, false],
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
    ['lets the last alternative in', [/https:\/\/a|https:\/\/b/], 'https://b', app, true],
    ['takes anchors of its own', [/^https:\/\/a$/], 'https://a', app, true],
    ['keeps the flag i', [/HTTPS:\/\/A/i], 'https://a', app, true],
    ['keeps the flag u', [/https:\/\/\u{61}/u], 'https://a', app, true],
    ['security: has no use for the flag m', [/^https:\/\/a$/m], 'https://evil\nhttps://a', app, false],
    ['matches the origin in lower case and without its default port', [/https:\/\/a/], 'HTTPS://A:443', app, true],
    ['sees the value as it was sent', [/https:\/\/a\/path/], 'https://a/path', app, true],
    ['sees an empty value', [/^$/], '', app, true],
    ['sees the origin of a local page', [/file:\/\//], 'file://', app, true],
    ['sees the origin of a program', [/app:\/\/\./], 'app://.', app, true],
    ['sees a slash at the end', [/http:\/\/localhost\//], 'http://localhost/', app, true],
    ['takes wss for https', [/https:\/\/a/], 'wss://a', app, true],
    ['sees wss too', [/wss:\/\/a/], 'wss://a', app, true],
    ['security: has to match the whole of what is no origin', [/file:\/\//], 'file://evil', app, false],
    ['security: never sees what is longer than any origin', [/.*/], `https://${'a'.repeat(65_536)}`, app, false],
    ['security: never sees two fields', [/.*/], 'https://a, https://b', app, false],
    ['never sees null', [/.*/], 'null', app, false],
    ['lets null in where null is listed beside it', [/https:\/\/a/, 'null'], 'null', app, true],
    ['sees IPv6', [/http:\/\/\[::1\]:\d+/], 'http://[::1]:3000', app, true]
  ]
  test.each(rows)('%s', check)

  test.each(['g', 'y', 'gy', 'gim'])('answers the same each time with the flags %s', (flags) => {
    const policy = compileOrigins([new RegExp('https://[a-z]+\\.example', flags)])
    const answers = Array.from({ length: 4 }, () => policy.allows('https://shop.example', app))
    expect(answers).toEqual([true, true, true, true])
    expect(policy.allows('https://shop.example.evil', app)).toBe(false)
  })

  test('leaves the given expression as it is', () => {
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

  test('gets a port that is not the default', () => {
    const decide = jest.fn(() => true)
    compileOrigins(decide).allows('http://app.example:443', app)
    expect(decide.mock.calls).toEqual([['http://app.example:443', app]])
  })

  test('decides over null', () => {
    const decide = jest.fn((origin: string) => origin === 'null')
    expect(compileOrigins(decide).allows('null', app)).toBe(true)
    expect(compileOrigins(() => false).allows('null', app)).toBe(false)
  })

  test('keeps out whom it refuses', () => {
    expect(compileOrigins(() => false).allows('https://app.example', tls)).toBe(false)
  })

  test.each(['https://a, https://b', 'null, null', ', https://a', 'https://a,'])(
    'security: is not asked about %j, which are two fields',
    (origin) => {
      const decide = jest.fn(() => true)
      expect(compileOrigins(decide).allows(origin, app)).toBe(false)
      expect(decide).not.toHaveBeenCalled()
    }
  )

  test('security: is not asked about what is longer than any origin', () => {
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
      new TypeError(`allowedOrigins: the function must return true or false at once; it returned ${came}`)
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
    ['lets every origin in', 'any', 'https://evil.example', app, true],
    ['lets null in', 'any', 'null', app, true],
    ['lets another scheme in', 'any', 'moz-extension://abc', app, true],
    ['keeps two fields out', 'any', 'https://app.example, https://app.example', app, false],
    ['keeps two null fields out', 'any', 'null, null', app, false]
  ]
  test.each(rows)('%s', check)
})

describe('compileOrigins', () => {
  const list = "allowedOrigins: expected 'same-origin', 'any', a list of origins, or a function; got "
  const origin = "allowedOrigins: expected an origin such as 'https://app.example' (scheme, host, port, no path); got "
  const wildcard = "allowedOrigins: a wildcard stands for whole labels at the left, as in 'https://*.app.example'; got "

  test.each([
    [
      'a string that is no list',
      'https://app.example',
      `${list}'https://app.example'; did you mean ['https://app.example']?`
    ],
    ['an asterisk that is no list', '*', `${list}'*'; did you mean 'any'?`],
    ['a misspelt word', 'same_origin', `${list}'same_origin'; did you mean 'same-origin'?`],
    ['a host that is no list', 'localhost:5173', `${list}'localhost:5173'; did you mean ['http://localhost:5173']?`],
    ['a slash at the end', 'https://a.b/', `${list}'https://a.b/'; did you mean ['https://a.b']?`],
    ['an empty string', '', `${list}''`],
    ['null', null, `${list}null`],
    ['undefined', undefined, `${list}undefined`],
    ['a number', 5, `${list}5`],
    ['true', true, `${list}true`],
    ['an object', {}, `${list}[object Object]`],
    ['a regular expression that is no list', /x/, `${list}[object RegExp]; did you mean [/x/]?`],
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
  ])('writes the rule %p as an operator reads it', (rule, text) => {
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

  test('does not notice a later change of the list', () => {
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

  test('security: lets nothing in that begins with a listed origin but its default port', () => {
    const policy = compileOrigins(listed)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (rest) => {
        expect(policy.allows(`https://good.example${rest}`, app)).toBe(/^:0{0,2}443$/.test(rest))
      })
    )
  })

  test('security: lets nothing in that ends with a listed origin', () => {
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

  test('lets a very long origin in where it is listed', () => {
    const long = `https://${'a.'.repeat(500_000)}example`
    expect(compileOrigins([long]).allows(long, app)).toBe(true)
  })
})

describe('effectiveRequest', () => {
  const request = (host: string | undefined, socket: object) =>
    ({ headers: { host }, socket }) as unknown as IncomingMessage

  test('takes host and port from the field Host', () => {
    expect(effectiveRequest(request('app.example:8443', {})).host).toBe('app.example:8443')
  })

  test('has no host where the field is missing', () => {
    expect(effectiveRequest(request(undefined, {})).host).toBeUndefined()
  })

  test('knows the scheme of a TLS connection', () => {
    expect(effectiveRequest(request('a', { encrypted: true })).scheme).toBe('https')
  })

  test('does not know the scheme of a plain connection, for TLS may end before it', () => {
    expect(effectiveRequest(request('a', {})).scheme).toBeUndefined()
  })

  test('security: believes no forwarded field', () => {
    const req = request('a', {})
    Object.assign(req.headers, { 'x-forwarded-host': 'evil', 'x-forwarded-proto': 'https', forwarded: 'host=evil' })
    expect(effectiveRequest(req)).toEqual({ host: 'a', scheme: undefined })
  })
})
