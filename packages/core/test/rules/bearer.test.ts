import fc from 'fast-check'
import { HandshakeError } from '../../src/errors.ts'
import { takeBearerToken } from '../../src/rules/bearer.ts'

const offering = (...fields: string[]) => ({
  headers: { host: 'a', 'sec-websocket-protocol': fields.join(', ') } as Record<string, string>,
  rawHeaders: ['Host', 'a', ...fields.flatMap((field) => ['Sec-WebSocket-Protocol', field])]
})

describe('takeBearerToken', () => {
  test.each([
    [['bearer.abc'], undefined],
    [['chat.v2, bearer.abc'], 'chat.v2'],
    [['bearer.abc, chat.v2,chat.v1'], 'chat.v2, chat.v1'],
    [['chat.v2', 'bearer.abc'], 'chat.v2'],
    [['chat.v2 , , bearer.abc'], 'chat.v2']
  ])('of %j leaves %j in the offer', (fields, left) => {
    const req = offering(...fields)
    takeBearerToken(req, 'bearer.')
    const protocols = left === undefined ? {} : { 'sec-websocket-protocol': left }
    expect(req.headers).toEqual({ host: 'a', authorization: 'Bearer abc', ...protocols })
    const raw = left === undefined ? [] : ['Sec-WebSocket-Protocol', left]
    expect(req.rawHeaders).toEqual(['Host', 'a', ...raw, 'Authorization', 'Bearer abc'])
  })

  test.each([
    ['no token', 'chat.v2'],
    ['a name that has the prefix in another case', 'Bearer.abc'],
    ['a malformed list', 'chat v2, bearer.abc']
  ])('changes nothing for %s', (_what, field) => {
    const req = offering(field)
    takeBearerToken(req, 'bearer.')
    expect(req).toEqual(offering(field))
  })

  test('changes nothing if nothing is offered', () => {
    const req = { headers: { host: 'a' }, rawHeaders: ['Host', 'a'] }
    takeBearerToken(req, 'bearer.')
    expect(req).toEqual({ headers: { host: 'a' }, rawHeaders: ['Host', 'a'] })
  })

  test.each([
    ['an empty token', 'chat.v2, bearer.', {}],
    ['two tokens', 'bearer.secret1, bearer.secret2', {}],
    ['a token together with Authorization', 'bearer.secret', { authorization: 'Basic abc' }]
  ])('refuses %s without revealing it', (_what, field, more) => {
    const req = offering(field)
    Object.assign(req.headers, more)
    let refusal: unknown
    try {
      takeBearerToken(req, 'bearer.')
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(HandshakeError)
    expect(refusal).toMatchObject({ code: 'HANDSHAKE_SUBPROTOCOL', status: 400 })
    expect((refusal as Error).message).toBe('Expected one bearer token, as one subprotocol "bearer.…".')
    expect(JSON.stringify([req.rawHeaders, req.headers['sec-websocket-protocol']])).not.toContain('secret')
  })

  test('never leaves the token in the offer, whatever is around it', () => {
    const name = fc.stringMatching(/^[a-z0-9.]{1,8}$/)
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { maxLength: 5 }),
        fc.stringMatching(/^[A-Za-z0-9._~-]{12,20}$/),
        (names, token) => {
          const others = names.filter((other) => !other.startsWith('bearer.'))
          const req = offering([...others, `bearer.${token}`].join(', '))
          takeBearerToken(req, 'bearer.')
          expect(req.headers.authorization).toBe(`Bearer ${token}`)
          expect(req.headers['sec-websocket-protocol'] ?? '').toBe(others.join(', '))
        }
      )
    )
  })
})
