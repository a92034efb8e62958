import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pages } from '../../src/docs.ts'
import { nearMiss, numberIn } from '../../src/options/near-miss.ts'

const known = ['maxPayloadBytes', 'closeTimeoutMs', 'heartbeat', 'ws', 'drain', 'port']

test.each([
  ['maxPayload', 'maxPayloadBytes'],
  ['MaxPayloadBytes', 'maxPayloadBytes'],
  ['maxPayloadBytesPerMessage', 'maxPayloadBytes'],
  ['maxPayloadByts', 'maxPayloadBytes'],
  ['payload', 'maxPayloadBytes'],
  ['closeTimeout', 'closeTimeoutMs'],
  ['hearbeat', 'heartbeat'],
  ['drian', 'drain'],
  ['wss', 'ws'],
  ['host', undefined],
  ['x', undefined],
  ['', undefined],
  ['toString', undefined],
  ['pay', undefined],
  ['maxPayloadBytes'.repeat(10), undefined]
])('%s was meant to be %p', (name, meant) => {
  expect(nearMiss(name, known)).toBe(meant)
})

test.each([
  ['maxConnectionsPerIp', 'maxConnectionsPerAddress'],
  ['maxConnectionsTotal', 'maxConnections'],
  ['maxConn', 'maxConnections'],
  ['maxConnectionsPer', 'maxConnectionsPerAddress']
])('regression: %s was not meant to be the shorter of two names, but %s, which has more in common', (name, meant) => {
  expect(nearMiss(name, ['maxConnections', 'maxConnectionsPerAddress'])).toBe(meant)
})

test.each([
  ['5000', '5000'],
  ['0', '0'],
  ['', undefined],
  ['5s', undefined],
  ['9'.repeat(100), undefined],
  [5000, undefined]
])('%p holds the number %p', (value, number) => {
  expect(numberIn(value)).toBe(number)
})

test('the documentation is that of the repository', () => {
  const { repository } = JSON.parse(readFileSync(join(__dirname, '../../../../package.json'), 'utf8'))
  expect(pages).toBe(`${repository.url}/blob/main/docs`)
})

// Packages that know nothing of each other have copies.
test.each(['near-miss.ts', 'docs.ts'])('%s is the same in all packages', (file) => {
  const read = (path: string) => readFileSync(join(__dirname, '../../..', path, file), 'utf8')
  const own = read(file === 'docs.ts' ? 'core/src' : 'core/src/options')
  for (const name of ['redis', 'testing', 'topics']) expect(read(`${name}/src`)).toBe(own)
})
