import { createClient } from 'redis'
import { redisBackplane } from '../src/index.ts'
import { resolveOptions } from '../src/options.ts'

const client = createClient({ url: 'redis://127.0.0.1:1' })

test('has defaults for what is left out or undefined', () => {
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
  [
    { client, '\u001b[2J': 1 },
    "Unknown option '\\u001b[2J'. Known are: client, prefix, maxPendingBytes, timeoutMs, onError"
  ],
  [{ client, prefix: Object.create(null) }, 'prefix: expected a string; got [object Object]'],
  [{ client, prefix: Symbol('\r\n') }, 'prefix: expected a string; got Symbol(\\u000d\\u000a)'],
  [
    { client: '\u001b'.repeat(65_536) },
    `client: expected a client of node-redis or ioredis; got '${'\\u001b'.repeat(100)}…'`
  ]
])('refuses %p', (options, message) => {
  expect(() => redisBackplane(options as never)).toThrow(new TypeError(message))
})
