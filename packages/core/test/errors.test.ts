import { inspect } from 'node:util'
import fc from 'fast-check'
import { HandshakeError, type HandshakeErrorCode } from '../src/errors.ts'
import { quote } from '../src/show.ts'

const upgrade = { Upgrade: 'websocket', Connection: 'Upgrade' }

/** The table of docs and design. A code without a row does not compile. */
const answers: Record<HandshakeErrorCode, [status: number, headers: Record<string, string>]> = {
  HANDSHAKE_METHOD: [405, { Allow: 'GET' }],
  HANDSHAKE_UPGRADE_REQUIRED: [426, upgrade],
  HANDSHAKE_HOST: [400, {}],
  HANDSHAKE_VERSION: [426, { ...upgrade, 'Sec-WebSocket-Version': '13' }],
  HANDSHAKE_KEY: [400, {}],
  HANDSHAKE_ORIGIN: [403, {}],
  HANDSHAKE_SUBPROTOCOL: [400, {}],
  HANDSHAKE_EXTENSION: [400, {}],
  HANDSHAKE_EXPIRED: [403, {}],
  HANDSHAKE_ABORTED: [400, {}],
  HANDSHAKE_UNAVAILABLE: [503, { 'Retry-After': expect.stringMatching(/^[1-9]\d*$/) }],
  HANDSHAKE_TOO_MANY: [429, { 'Retry-After': expect.stringMatching(/^[1-9]\d*$/) }],
  HANDSHAKE_TIMEOUT: [503, { 'Retry-After': expect.stringMatching(/^[1-9]\d*$/) }],
  HANDSHAKE_CONFLICT: [500, {}],
  HANDSHAKE_NOT_ATTACHED: [503, {}]
}
const rows = Object.entries(answers) as [HandshakeErrorCode, (typeof answers)[HandshakeErrorCode]][]

describe('HandshakeError', () => {
  test.each(rows)('%s has its status and header fields', (code, [status, headers]) => {
    const error = new HandshakeError(code, 'Something else.')
    expect(error.code).toBe(code)
    expect(error.status).toBe(status)
    expect(error.statusCode).toBe(status)
    expect(error.headers).toEqual(headers)
  })

  test.each(rows)('%s shows its message to clients only if the fault is theirs', (code, [status]) => {
    expect(new HandshakeError(code, 'm').expose).toBe(status < 500)
  })

  test('keeps its header fields when an error handler changes those of another', () => {
    const changed = new HandshakeError('HANDSHAKE_KEY', 'm').headers as Record<string, string>
    try {
      changed['X-Changed'] = 'by an error handler'
    } catch {
      // Frozen fields are fine too.
    }
    expect(new HandshakeError('HANDSHAKE_KEY', 'm').headers).toEqual({})
  })

  test('is an Error with a name and a message, and without a stack that would fill the log', () => {
    const error = new HandshakeError('HANDSHAKE_KEY', 'Something else.')
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('HandshakeError')
    expect(error.message).toBe('Something else.')
    expect(String(error)).toBe('HandshakeError: Something else.')
    expect(error.stack).toBe('HandshakeError: Something else.')
    expect(new Error('another').stack).toContain('errors.test')
  })

  test('keeps the detail apart from the message', () => {
    const error = new HandshakeError('HANDSHAKE_ORIGIN', 'Not allowed.', 'host "internal"')
    expect(error.detail).toBe('host "internal"')
    expect(error.message).toBe('Not allowed.')
  })

  test('has the status and the fields that this one answer needs, instead of those of its code', () => {
    const own = { status: 405, headers: { Allow: 'CONNECT' } }
    const error = new HandshakeError('HANDSHAKE_UPGRADE_REQUIRED', 'm', undefined, own)
    expect(error).toMatchObject({ status: 405, statusCode: 405, expose: true })
    expect(error.headers).toEqual({ Allow: 'CONNECT' })
    expect(new HandshakeError('HANDSHAKE_UPGRADE_REQUIRED', 'm').headers).toEqual(upgrade)
  })

  test('puts a detail together when it is first read, for loggers but not for JSON', () => {
    let calls = 0
    const error = new HandshakeError('HANDSHAKE_ORIGIN', 'Not allowed.', () => `read ${++calls}`)
    expect(JSON.stringify(error)).not.toContain('read')
    expect(calls).toBe(0)
    const listed: string[] = []
    for (const name in error) listed.push(name)
    expect(listed).toContain('detail')
    expect([error.detail, error.detail, calls]).toEqual(['read 1', 'read 1', 1])
    expect(inspect(error)).toContain('read 1')
  })

  test('has no detail unless it is given one', () => {
    expect(new HandshakeError('HANDSHAKE_KEY', 'm').detail).toBeUndefined()
  })
})

describe('quote', () => {
  test.each<[value: string | undefined, quoted: string]>([
    [undefined, 'nothing'],
    ['', '""'],
    ['nothing', '"nothing"'],
    ['a b', '"a b"'],
    ['a"b', '"a\\"b"'],
    ['a\\b', '"a\\\\b"'],
    ['a\r\nb', '"a\\r\\nb"'],
    ['\t', '"\\t"'],
    ['\0', '"\\u0000"'],
    ['\x1b[31m', '"\\u001b[31m"'],
    ['é', '"é"']
  ])('writes %j as %s', (value, quoted) => {
    expect(quote(value)).toBe(quoted)
  })

  test.each([0x7f, 0x80, 0x85, 0x9b, 0x9f])(
    'security: escapes the control character %i, which HTTP field values may contain',
    (code) => {
      const character = String.fromCharCode(code)
      expect(quote(`a${character}b`)).not.toContain(character)
    }
  )

  test('prints a value of 120 characters in full', () => {
    expect(quote('a'.repeat(120))).toBe(`"${'a'.repeat(120)}"`)
  })

  test('cuts a value of 121 characters and says so', () => {
    expect(quote('a'.repeat(121))).toBe(`"${'a'.repeat(120)}"…`)
  })

  test('cuts a very long value', () => {
    expect(quote('\n'.repeat(1_000_000))).toBe(`"${'\\n'.repeat(120)}"…`)
  })

  test('never writes a line break, and nothing outside the quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (value) => {
        const quoted = quote(value)
        expect(quoted).not.toMatch(/[\r\n\0]/)
        expect(quoted).toMatch(/^"(?:[^"\\]|\\.)*"…?$/su)
        // Half of a surrogate pair would make the log line invalid UTF-8.
        expect(Buffer.from(quoted).toString()).toBe(quoted)
      })
    )
  })

  test('writes different short values differently', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 120 }), (value) => {
        expect(JSON.parse(quote(value))).toBe(value)
      })
    )
  })
})
