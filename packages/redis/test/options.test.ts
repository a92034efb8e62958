import { createClient } from 'redis'
import { pages } from '../src/docs.ts'
import { redisBackplane } from '../src/index.ts'
import { resolveOptions } from '../src/options.ts'

const client = createClient({ url: 'redis://127.0.0.1:1' })

test('has defaults for options that are left out or undefined', () => {
  expect(resolveOptions({ client, prefix: undefined })).toEqual({
    client,
    prefix: 'oneport:',
    maxPendingBytes: 33_554_432,
    timeoutMs: 5_000,
    onError: expect.any(Function)
  })
})

test.each([
  [null, 'redisBackplane: options: expected an object; got null'],
  [{}, 'redisBackplane: client: expected a client of node-redis or ioredis; got undefined'],
  [
    { client: 'redis://localhost' },
    "redisBackplane: client: expected a client of node-redis or ioredis; got 'redis://localhost'"
  ],
  [
    { client: { duplicate() {} } },
    'redisBackplane: client: expected a client of node-redis 6 or ioredis 6; got one that is neither'
  ],
  [{ client, prefix: 7 }, 'redisBackplane: prefix: expected a string; got 7'],
  [
    { client, maxPendingBytes: 0 },
    'redisBackplane: maxPendingBytes: expected a positive whole number of bytes, or Infinity; got 0'
  ],
  [
    { client, timeoutMs: 0 },
    'redisBackplane: timeoutMs: expected a whole number of milliseconds from 1 to 2147483647; got 0'
  ],
  [{ client, onError: {} }, 'redisBackplane: onError: expected a function; got [object Object]'],
  [client, 'redisBackplane: options: expected an object; got a client; did you mean { client }?'],
  [
    { client, timeoutMs: '500' },
    "redisBackplane: timeoutMs: expected a whole number of milliseconds from 1 to 2147483647; got '500'; did you mean 500?"
  ],
  [{ client, timeout: 1 }, "redisBackplane: unknown option 'timeout'; did you mean timeoutMs?"],
  [{ client, url: 1 }, `redisBackplane: unknown option 'url'; see ${pages}/redis.md`],
  [JSON.parse('{"__proto__":1}'), `redisBackplane: unknown option '__proto__'; see ${pages}/redis.md`],
  [{ client, prefix: Object.create(null) }, 'redisBackplane: prefix: expected a string; got [object Object]']
])('refuses %p', (options, message) => {
  expect(() => redisBackplane(options as never)).toThrow(new TypeError(message))
})

test.each(['toString', 'constructor', 'hasOwnProperty', '__proto__'])(
  'regression: %s is not an option, though every object has it',
  (name) => {
    const options = Object.fromEntries([
      ['client', client],
      [name, 1]
    ])
    expect(() => redisBackplane(options as never)).toThrow(`redisBackplane: unknown option '${name}'; see ${pages}`)
  }
)

test('regression: a value that cannot be printed is refused like any other', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const onError of [Object.create(null), proxy, Symbol('x')]) {
    expect(() => redisBackplane({ client, onError })).toThrow(/^redisBackplane: onError: expected a function; got /)
  }
})

test('shows long values and control characters on one short line', () => {
  const wild = '\u001b[2J\r\n'.repeat(16_384)
  for (const options of [{ client: wild }, { client, [wild]: 1 }, { client, prefix: Symbol(wild) }]) {
    expect(() => redisBackplane(options as never)).toThrow(/^[^\p{Cc}]{1,1000}$/u)
  }
})
