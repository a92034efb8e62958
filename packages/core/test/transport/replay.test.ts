import { ordinaryHead } from '../../src/transport/replay.ts'

const head = (...rawHeaders: string[]) =>
  ordinaryHead({ method: 'POST', url: '/path?q=1', httpVersion: '1.1', rawHeaders })

describe('ordinaryHead', () => {
  test('writes the request line and the fields as they arrived, except for Upgrade and its option', () => {
    expect(head('Host', 'a', 'Upgrade', 'h2c', 'Connection', 'Upgrade, HTTP2-Settings', 'X-Case', 'Va lue')).toBe(
      'POST /path?q=1 HTTP/1.1\r\nHost: a\r\nConnection: HTTP2-Settings\r\nX-Case: Va lue\r\n\r\n'
    )
  })

  test('keeps the version of the request', () => {
    const req = { method: 'GET', url: '*', httpVersion: '1.0', rawHeaders: [] }
    expect(ordinaryHead(req)).toBe('GET * HTTP/1.0\r\n\r\n')
  })

  test('keeps order, case, and repeated fields', () => {
    expect(head('b', '1', 'A', '2', 'B', '3')).toBe('POST /path?q=1 HTTP/1.1\r\nb: 1\r\nA: 2\r\nB: 3\r\n\r\n')
  })

  test('keeps the fields for the length of the body', () => {
    const text = head('Upgrade', 'foo/1', 'Content-Length', '5', 'Transfer-Encoding', 'chunked')
    expect(text).toBe('POST /path?q=1 HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n')
  })

  test.each<[name: string, rawHeaders: string[]]>([
    ['Upgrade in any case', ['UPGRADE', 'h2c', 'upgrade', 'foo']],
    ['a Connection that names nothing else', ['Connection', 'Upgrade']],
    ['a Connection that names it in any case', ['connection', 'uPgRaDe']],
    ['a Connection that names it twice', ['Connection', 'upgrade, Upgrade']],
    ['an empty Connection', ['Connection', ' , ']]
  ])('leaves out %s', (_name, rawHeaders) => {
    expect(head(...rawHeaders)).toBe('POST /path?q=1 HTTP/1.1\r\n\r\n')
  })

  test.each([
    ['keep-alive, Upgrade', 'keep-alive'],
    ['Upgrade, close', 'close'],
    ['a,upgrade , b', 'a, b'],
    ['upgrades', 'upgrades'],
    ['keep-alive', 'keep-alive']
  ])('keeps what the client still means in Connection: %s', (value, rest) => {
    expect(head('Connection', value)).toBe(`POST /path?q=1 HTTP/1.1\r\nConnection: ${rest}\r\n\r\n`)
  })

  test('keeps a field whose name only begins with Upgrade', () => {
    expect(head('Upgrade-Insecure-Requests', '1')).toContain('Upgrade-Insecure-Requests: 1\r\n')
  })

  test('keeps an empty value, and bytes above ASCII', () => {
    expect(head('X-Empty', '', 'X-Latin', 'caf\xe9')).toContain('X-Empty: \r\nX-Latin: caf\xe9\r\n')
  })

  test.each(['a\r\nX-Evil: 1', 'a\nX-Evil: 1', 'a\rb', 'a\0b', '\n'])(
    'security: returns nothing for the value %j, which could end its line',
    (value) => {
      expect(head('X-Field', value)).toBeUndefined()
      expect(head('Upgrade', value)).toBeUndefined()
      expect(head('Connection', value)).toBeUndefined()
    }
  )
})
