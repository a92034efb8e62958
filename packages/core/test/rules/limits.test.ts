import { isIP } from 'node:net'
import fc from 'fast-check'
import type { HandshakeError } from '../../src/errors.ts'
import { addressKey } from '../../src/rules/address.ts'
import { Limits } from '../../src/rules/limits.ts'

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return (error as HandshakeError).code
  }
  return 'taken'
}

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['192.0.2.1:4711', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255:65535', '255.255.255.255'],
  ['[2001:db8:1:2::1]', '2001:db8:1:2::/64'],
  ['[2001:db8:1:2::1]:4711', '2001:db8:1:2::/64'],
  ['[::ffff:192.0.2.1]:4711', '192.0.2.1'],
  ['[fe80::1%eth0]:4711', 'fe80:0:0:0::/64'],
  ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
  ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64']
])('the address %s counts as %s', (address, key) => {
  expect(addressKey(address)).toBe(key)
})

test.each<[text: unknown]>([
  [undefined],
  [null],
  [4],
  [['192.0.2.1']],
  [''],
  ['unknown'],
  ['_hidden'],
  ['localhost'],
  ['/run/app.sock'],
  ['192.0.2'],
  ['192.0.2.1.5'],
  ['192.0.2.256'],
  ['192.0.2.01'],
  ['192.0.2.1:'],
  ['192.0.2.1:x'],
  ['192.0.2.1:123456'],
  ['192.0.2.1, 192.0.2.2'],
  [' 192.0.2.1'],
  ['192.0.2.1\n'],
  ['\x1b[31m192.0.2.1'],
  ['::1::2'],
  ['1::2::3::4'],
  [':'],
  [':::'],
  ['1:2:3:4:5:6:7'],
  ['1:2:3:4:5:6:7:8:9'],
  ['1:2:3:4:5:6:7:8::'],
  ['1:2:3:4::5:6:7:8:9'],
  ['192.0.2.1::'],
  ['::192.0.2.1:5'],
  ['::g'],
  ['::12345'],
  ['2001:db8::1 '],
  ['[2001:db8::1'],
  ['[2001:db8::1]x'],
  ['[2001:db8::1]:'],
  ['[]'],
  ['<script>']
])('regression: %j is an unknown address; it threw or counted separately', (text) => {
  expect(addressKey(text)).toBe('unknown')
})

test.each([...':1.[]%'])('64 KiB of %s are an unknown address', (character) => {
  expect(addressKey(character.repeat(65_536))).toBe('unknown')
})

test('security: reads any address without throwing, and returns nothing of invalid ones', () => {
  const character = fc.constantFrom(...'0123456789abcdefg:.[]%/, \n\x1b')
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 60 }), (text) => {
      expect(addressKey(text)).toMatch(/^(?:unknown|\d+\.\d+\.\d+\.\d+|(?:[\da-f]{1,4}:){4}:\/64)$/)
    }),
    { numRuns: 5_000 }
  )
})

test('accepts the same addresses as Node', () => {
  const group = fc.constantFrom('0', 'ffff', '2001', 'db8', '12345', '', '192.0.2.1', '256.0.0.1')
  fc.assert(
    fc.property(fc.array(group, { maxLength: 9 }), (groups) => {
      const text = groups.join(':')
      const withoutPort = text.replace(/^([\d.]+):\d{1,5}$/, '$1')
      expect(addressKey(text) === 'unknown').toBe(isIP(withoutPort) === 0)
    }),
    { numRuns: 5_000 }
  )
})

test('takes as many connections as allowed, and again as many as are released', () => {
  const limits = new Limits(2, Infinity)
  const places = [limits.take({ address: '192.0.2.1' }), limits.take({ address: '192.0.2.2' })]
  expect(codeOf(() => limits.take({ address: 'c' }))).toBe('HANDSHAKE_UNAVAILABLE')
  limits.giveBack(places[0])
  expect(codeOf(() => limits.take({ address: 'c' }))).toBe('taken')
  expect(codeOf(() => limits.take({ address: 'd' }))).toBe('HANDSHAKE_UNAVAILABLE')
})

test('takes as many from one address as allowed, and others from other addresses', () => {
  const limits = new Limits(Infinity, 1)
  const place = limits.take({ address: '2001:db8::1' })
  expect(codeOf(() => limits.take({ address: '2001:db8::2' }))).toBe('HANDSHAKE_TOO_MANY')
  expect(codeOf(() => limits.take({ address: '2001:db8:0:1::1' }))).toBe('taken')
  limits.giveBack(place)
  expect(codeOf(() => limits.take({ address: '2001:db8::2' }))).toBe('taken')
  expect(codeOf(() => limits.take({ address: '2001:db8::3' }))).toBe('HANDSHAKE_TOO_MANY')
})

test('security: counts all unknown addresses as one, so that nonsense does not bypass the limit', () => {
  const limits = new Limits(Infinity, 1)
  const place = limits.take({ address: 'nonsense' })
  expect(codeOf(() => limits.take({ address: 'other nonsense' }))).toBe('HANDSHAKE_TOO_MANY')
  expect(codeOf(() => limits.take({ address: '192.0.2.1' }))).toBe('taken')
  limits.giveBack(place)
  expect(codeOf(() => limits.take({ address: '' }))).toBe('taken')
})

test('counts against no address if there is none', () => {
  const limits = new Limits(Infinity, 1)
  limits.take({ address: undefined })
  expect(codeOf(() => limits.take({}))).toBe('taken')
  expect(codeOf(() => limits.take({ address: 'nonsense' }))).toBe('taken')
})

test('security: does not print a forwarded address that is not one', () => {
  const limits = new Limits(Infinity, 1)
  limits.take({ address: 'a' })
  try {
    limits.take({ address: '\x1b[2Jnonsense' })
  } catch (error) {
    expect((error as HandshakeError).detail).toBe('maxConnectionsPerAddress is 1, address unknown')
  }
  expect.assertions(1)
})

test('counts a refusal by one limit against none', () => {
  const limits = new Limits(2, 1)
  limits.take({ address: '192.0.2.1' })
  for (let round = 0; round < 5; round++)
    expect(codeOf(() => limits.take({ address: '192.0.2.1' }))).toBe('HANDSHAKE_TOO_MANY')
  expect(codeOf(() => limits.take({ address: '192.0.2.2' }))).toBe('taken')
})

test('does not ask for the address if no limit depends on it', () => {
  const client = {
    get address(): string {
      throw new Error('asked')
    }
  }
  expect(codeOf(() => new Limits(1, Infinity).take(client))).toBe('taken')
})
