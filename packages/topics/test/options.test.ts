import { pages } from '../src/docs.ts'
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
  [
    { maxBufferedBytes: 0 },
    'createTopics: maxBufferedBytes: expected a positive whole number of bytes, or Infinity; got 0'
  ],
  [
    { maxTopicLength: 1.5 },
    'createTopics: maxTopicLength: expected a positive whole number of characters, or Infinity; got 1.5'
  ],
  [
    { maxTopicsPerSocket: '9' },
    "createTopics: maxTopicsPerSocket: expected a positive whole number of topics, or Infinity; got '9'; did you mean 9?"
  ],
  [{ whenSlow: 'wait' }, "createTopics: whenSlow: expected 'close', 'drop' or 'latest'; got 'wait'"],
  [{ onError: true }, 'createTopics: onError: expected a function; got true'],
  [{ onBackplaneError: 1 }, 'createTopics: onBackplaneError: expected a function; got 1'],
  [
    { backplane: { publish() {} } },
    'createTopics: backplane: expected publish, subscribe, unsubscribe, health and close; got [object Object]'
  ],
  [
    { backplane: null },
    'createTopics: backplane: expected publish, subscribe, unsubscribe, health and close; got null'
  ],
  [
    { whenSlow: 'Drop' },
    "createTopics: whenSlow: expected 'close', 'drop' or 'latest'; got 'Drop'; did you mean 'drop'?"
  ],
  [{ maxBuffered: 1 }, "createTopics: unknown option 'maxBuffered'; did you mean maxBufferedBytes?"],
  [{ redis: 1 }, `createTopics: unknown option 'redis'; see ${pages}/topics.md`],
  [null, 'createTopics: options: expected an object; got null']
])('refuses %p', (options, message) => {
  expect(() => resolveOptions(options as never)).toThrow(new TypeError(message))
})

test.each(['toString', 'constructor', 'hasOwnProperty', '__proto__'])(
  'regression: %s is not an option, though every object has it',
  (name) => {
    const options = Object.fromEntries([[name, 1]])
    expect(() => resolveOptions(options as never)).toThrow(`createTopics: unknown option '${name}'; see ${pages}`)
  }
)

test('regression: a value that cannot be printed is refused like any other', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const onError of [Object.create(null), proxy, Symbol('x')]) {
    expect(() => resolveOptions({ onError })).toThrow(/^createTopics: onError: expected a function; got /)
  }
})
