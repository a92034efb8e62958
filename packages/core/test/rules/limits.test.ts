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
  ['/run/app.sock', '/run/app.sock'],
  ['', '']
])('the address %s counts as %s', (address, key) => {
  expect(addressKey(address)).toBe(key)
})

test('takes as many connections as it may, and again as many as are released', () => {
  const limits = new Limits(2, Infinity)
  const places = [limits.take({ address: 'a' }), limits.take({ address: 'b' })]
  expect(codeOf(() => limits.take({ address: 'c' }))).toBe('HANDSHAKE_UNAVAILABLE')
  limits.giveBack(places[0])
  expect(codeOf(() => limits.take({ address: 'c' }))).toBe('taken')
  expect(codeOf(() => limits.take({ address: 'd' }))).toBe('HANDSHAKE_UNAVAILABLE')
})

test('takes as many from one address as it may, and others from other addresses', () => {
  const limits = new Limits(Infinity, 1)
  const place = limits.take({ address: '2001:db8::1' })
  expect(codeOf(() => limits.take({ address: '2001:db8::2' }))).toBe('HANDSHAKE_TOO_MANY')
  expect(codeOf(() => limits.take({ address: '2001:db8:0:1::1' }))).toBe('taken')
  expect(codeOf(() => limits.take({ address: undefined }))).toBe('taken')
  limits.giveBack(place)
  expect(codeOf(() => limits.take({ address: '2001:db8::2' }))).toBe('taken')
  expect(codeOf(() => limits.take({ address: '2001:db8::3' }))).toBe('HANDSHAKE_TOO_MANY')
})

test('counts a refusal of one limit against none', () => {
  const limits = new Limits(2, 1)
  limits.take({ address: 'a' })
  for (let round = 0; round < 5; round++) expect(codeOf(() => limits.take({ address: 'a' }))).toBe('HANDSHAKE_TOO_MANY')
  expect(codeOf(() => limits.take({ address: 'b' }))).toBe('taken')
})

test('does not ask for the address where no address has a limit', () => {
  const client = {
    get address(): string {
      throw new Error('asked')
    }
  }
  expect(codeOf(() => new Limits(1, Infinity).take(client))).toBe('taken')
})
