import type { IncomingMessage } from 'node:http'
import { type Translation, translateServerOptions, type WebSocketServerOptions } from '../../src/ws-compatibility.ts'

const translation: Translation<readonly string[]> = {
  name: 'options',
  instead: new Map([['port', 'use listen()']]),
  asOffered: (names) => names
}

const translate = (given: object) =>
  translateServerOptions(given as WebSocketServerOptions<readonly string[]>, translation)

describe('an option of ws that cannot be set here', () => {
  test.each([{ port: 3000 }, { port: 0 }, { port: '' }])('is an error that says what to do instead: %j', (given) => {
    expect(() => translate(given)).toThrow(new TypeError('options.port: cannot be set here; use listen()'))
  })

  test.each([{ port: undefined }, { port: null }, { port: false }])('is accepted as %j', (given) => {
    expect(translate(given).ws).toBeUndefined()
  })
})

test('maxPayload, closeTimeout and perMessageDeflate become our options', () => {
  expect(translate({ maxPayload: 1, closeTimeout: 2, perMessageDeflate: true })).toEqual({
    maxPayloadBytes: 1,
    closeTimeoutMs: 2,
    perMessageDeflate: true
  })
  expect(translate({ maxPayload: 0 }).maxPayloadBytes).toBe(Infinity)
})

test('what is not set is undefined', () => {
  expect(Object.values(translate({}))).toEqual([undefined, undefined, undefined, undefined, undefined])
})

test('options that are not for an endpoint are left out, and the rest is passed on to ws', () => {
  const rest = { autoPong: false, skipUTF8Validation: true, maxFragments: 10 }
  const given = { ...rest, host: '127.0.0.1', port: null, clientTracking: true, verifyClient: () => true }
  expect(translate(given).ws).toEqual(rest)
})

test.each(['maxFragment', 'toString', 'constructor', 'hasOwnProperty', '__proto__'])(
  '%s is left out: ws has no such option, and ignores it',
  (name) => {
    expect(translate(Object.fromEntries([[name, 1]])).ws).toBeUndefined()
  }
)

test.each(['handleProtocols', 'verifyClient'])('%s that is not a function is an error', (name) => {
  expect(() => translate({ [name]: 'all' })).toThrow(new TypeError(`options.${name}: expected a function; got 'all'`))
  expect(() => translate({ [name]: null })).not.toThrow()
})

describe('handleProtocols', () => {
  const choose = (handleProtocols: unknown, offered: readonly string[]) => {
    const { subprotocols } = translate({ handleProtocols })
    return typeof subprotocols === 'function' ? subprotocols(offered, {} as IncomingMessage) : expect('it').toBe('set')
  }

  test('chooses among what the client offers', () => {
    expect(choose(([, second]: string[]) => second, ['a', 'b'])).toBe('b')
  })

  test.each([false, '', undefined, null])('chooses none with %p', (chosen) => {
    expect(choose(() => chosen, ['a'])).toBeUndefined()
  })

  test('is not called if the client offers none', () => {
    const handleProtocols = jest.fn()
    choose(handleProtocols, [])
    expect(handleProtocols).not.toHaveBeenCalled()
  })
})
