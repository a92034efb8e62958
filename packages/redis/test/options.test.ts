import { createClient } from 'redis'
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
  [null, 'options: expected an object; got null'],
  [{}, 'client: expected a client of node-redis or ioredis; got undefined'],
  [{ client: 'redis://localhost' }, "client: expected a client of node-redis or ioredis; got 'redis://localhost'"],
  [{ client: { duplicate() {} } }, 'client: expected a client of node-redis 6 or ioredis 6; got one that is neither'],
  [{ client, prefix: 7 }, 'prefix: expected a string; got 7'],
  [{ client, maxPendingBytes: 0 }, 'maxPendingBytes: expected a whole number of bytes from 1 on, or Infinity; got 0'],
  [{ client, timeoutMs: 0 }, 'timeoutMs: expected a whole number of milliseconds from 1 to 2147483647; got 0'],
  [{ client, onError: {} }, 'onError: expected a function; got [object Object]'],
  [{ client, url: 1 }, "Unknown option 'url'. Known are: client, prefix, maxPendingBytes, timeoutMs, onError"],
  [
    { client, toString: 1 },
    "Unknown option 'toString'. Known are: client, prefix, maxPendingBytes, timeoutMs, onError"
  ],
  [
    JSON.parse('{"__proto__":1}'),
    "Unknown option '__proto__'. Known are: client, prefix, maxPendingBytes, timeoutMs, onError"
  ],
  [{ client, prefix: Object.create(null) }, 'prefix: expected a string; got [object Object]']
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
    expect(() => redisBackplane(options as never)).toThrow(`Unknown option '${name}'. Known are: client`)
  }
)

test('regression: a value that cannot be printed is refused like any other', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const onError of [Object.create(null), proxy, Symbol('x')]) {
    expect(() => redisBackplane({ client, onError })).toThrow(/^onError: expected a function; got /)
  }
})

test('shows long values and control characters on one short line', () => {
  const wild = '\u001b[2J\r\n'.repeat(16_384)
  for (const options of [{ client: wild }, { client, [wild]: 1 }, { client, prefix: Symbol(wild) }]) {
    expect(() => redisBackplane(options as never)).toThrow(/^[^\p{Cc}]{1,1000}$/u)
  }
})
