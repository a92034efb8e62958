import fc from 'fast-check'
import { HandshakeError } from '../src/errors.ts'
import { validateHost } from '../src/rules/host.ts'
import { isOpeningHandshake, type RequestHead, validateHandshake, validateRequest } from '../src/rules/request.ts'
import { ordinaryHead } from '../src/transport/replay.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 40 })
const names = [
  'connection',
  'content-length',
  'host',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'transfer-encoding',
  'upgrade',
  '__proto__',
  'constructor'
]
const values = [
  'Upgrade',
  'websocket',
  '13',
  'x3JJHMbDL1EzLkh9GBhXDw==',
  'app.example',
  '0',
  'chunked',
  'a\r\n\r\nb',
  'a\n'
]
const handshake = { connection: 'Upgrade', upgrade: 'websocket', host: 'app.example', 'sec-websocket-version': '13' }
const name = fc.oneof(fc.constantFrom(...names), anyText)
const value = fc.oneof(fc.constantFrom(...values), anyText)
const fields = fc.array(fc.tuple(name, value), { maxLength: 12 })

/** A request as Node would pass it, with fields that Node would never let through. */
const head: fc.Arbitrary<RequestHead> = fc.record({
  method: fc.oneof(fc.constantFrom('GET', 'HEAD', 'POST'), anyText),
  httpVersionMajor: fc.integer({ min: 0, max: 3 }),
  httpVersionMinor: fc.integer({ min: 0, max: 9 }),
  headers: fc
    .tuple(fc.constantFrom({}, handshake), fields)
    .map(([most, all]) => ({ ...most, ...Object.fromEntries(all.slice(0, 3)) })),
  rawHeaders: fields.map((all) => all.flat())
})

test.each([
  ['validateRequest', validateRequest],
  ['validateHost', validateHost],
  ['validateHandshake', validateHandshake]
])('security: %s accepts or refuses any request, and never fails in another way', (_name, validate) => {
  fc.assert(
    fc.property(head, (request) => {
      try {
        expect(validate(request)).toBeUndefined()
      } catch (error) {
        expect(error).toBeInstanceOf(HandshakeError)
      }
    }),
    { numRuns: 1_000 }
  )
})

test('security: what is not an opening handshake is never treated as one, whatever its fields are', () => {
  fc.assert(
    fc.property(head, (request) => {
      const { connection, upgrade } = request.headers
      if (!isOpeningHandshake(request)) return
      expect([request.method, typeof connection, typeof upgrade]).toEqual(['GET', 'string', 'string'])
      expect(request.httpVersionMajor + request.httpVersionMinor / 10).toBeGreaterThanOrEqual(1.1)
      expect(upgrade?.toLowerCase()).toContain('websocket')
      expect(connection?.toLowerCase()).toContain('upgrade')
    }),
    { numRuns: 1_000 }
  )
})

test('security: a head that is given back to the parser is one head, without Upgrade', () => {
  // Node's parser allows only tokens as names; the check is for values.
  const token = fc.string({ unit: fc.constantFrom('a', 'Z', '-', '1'), minLength: 1 })
  const rawHeaders = fc.array(fc.tuple(fc.oneof(fc.constantFrom('Upgrade', 'Connection', 'UPGRADE'), token), value))
  fc.assert(
    fc.property(rawHeaders, (pairs) => {
      const text = ordinaryHead({ method: 'GET', url: '/', httpVersion: '1.1', rawHeaders: pairs.flat() })
      if (text === undefined) return
      expect(text.indexOf('\r\n\r\n')).toBe(text.length - 4)
      const lines = text.slice(0, -4).split('\r\n').slice(1)
      expect(lines.filter((line) => /^upgrade:/i.test(line))).toEqual([])
      expect(lines.length).toBeLessThanOrEqual(pairs.length)
    }),
    { numRuns: 1_000 }
  )
})
