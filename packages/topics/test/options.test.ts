import { resolveOptions } from '../src/options.ts'

test('has defaults for options that are left out or undefined', () => {
  expect(resolveOptions({ whenSlow: undefined, maxSubscriptions: 5 })).toMatchObject({
    maxBufferedBytes: 1_048_576,
    whenSlow: 'close',
    maxTopicLength: 256,
    maxTopicsPerSocket: 1_000,
    maxSubscriptions: 5
  })
})

test.each([
  [{ maxBufferedBytes: 0 }, 'maxBufferedBytes: expected a whole number of bytes from 1 on, or Infinity; got 0'],
  [{ maxTopicLength: 1.5 }, 'maxTopicLength: expected a whole number of characters from 1 on, or Infinity; got 1.5'],
  [
    { maxTopicsPerSocket: '9' },
    "maxTopicsPerSocket: expected a whole number of topics from 1 on, or Infinity; got '9'"
  ],
  [{ whenSlow: 'wait' }, "whenSlow: expected 'close', 'drop' or 'latest'; got 'wait'"],
  [{ onError: true }, 'onError: expected a function; got true'],
  [{ onBackplaneError: 1 }, 'onBackplaneError: expected a function; got 1'],
  [
    { backplane: { publish() {} } },
    'backplane: expected publish, subscribe, unsubscribe, health and close; got [object Object]'
  ],
  [{ backplane: null }, 'backplane: expected publish, subscribe, unsubscribe, health and close; got null'],
  [{ maxBuffered: 1 }, /^Unknown option 'maxBuffered'\. Known are: maxBufferedBytes, /],
  [null, 'options: expected an object; got null']
])('refuses %p', (options, message) => {
  expect(() => resolveOptions(options as never)).toThrow(message)
})

test.each(['toString', 'constructor', 'hasOwnProperty', '__proto__'])(
  'regression: %s is not an option, though every object has it',
  (name) => {
    const options = Object.fromEntries([[name, 1]])
    expect(() => resolveOptions(options as never)).toThrow(`Unknown option '${name}'. Known are: maxBufferedBytes`)
  }
)

test('regression: a value that cannot be printed is refused like any other', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const onError of [Object.create(null), proxy, Symbol('x')]) {
    expect(() => resolveOptions({ onError })).toThrow(/^onError: expected a function; got /)
  }
})
