import type { IncomingMessage } from 'node:http'
import { takePrinted } from '@oneport/test-kit'
import { pages } from '../../src/docs.ts'
import { HandshakeError } from '../../src/errors.ts'
import { defaultEndpoint, type EndpointOptions, resolveEndpoint } from '../../src/options/endpoint.ts'
import {
  type AttachOptions,
  checkOptions,
  resolveOptions,
  type ServerOptions,
  splitOptions
} from '../../src/options/server.ts'
import type { FaultContext } from '../../src/reports/fault.ts'

const resolve = (options: object) => resolveEndpoint(options as EndpointOptions, defaultEndpoint)
const fault: FaultContext = {
  phase: 'handler',
  request: { id: undefined, path: '/', address: undefined },
  socket: undefined
}
const plainRequest = (host?: string) => ({ headers: { host }, socket: {} }) as unknown as IncomingMessage

describe('the defaults', () => {
  test('match the doc comments', () => {
    const { endpoint } = resolveOptions({})
    expect(endpoint).toEqual({
      origins: expect.objectContaining({ rule: "'same-origin'" }),
      requireOrigin: false,
      subprotocols: [],
      requireSubprotocol: false,
      connection: {
        maxPayloadBytes: 1_048_576,
        maxBufferedBytes: 16_777_216,
        perMessageDeflate: false,
        closeTimeoutMs: 5_000,
        coalesce: true,
        ws: {}
      }
    })
  })

  test('allow the server’s own origin and no other', () => {
    const { origins } = resolve({})
    expect(origins.allows('https://a', { host: 'a' })).toBe(true)
    expect(origins.allows('https://b', { host: 'a' })).toBe(false)
  })

  test('cannot be changed by accident', () => {
    expect(Object.isFrozen(defaultEndpoint)).toBe(true)
    expect(Object.isFrozen(defaultEndpoint.subprotocols)).toBe(true)
    expect(Object.isFrozen(defaultEndpoint.connection)).toBe(true)
    expect(Object.isFrozen(defaultEndpoint.connection.ws)).toBe(true)
  })

  test.each([
    'allowedOrigins',
    'requireOrigin',
    'subprotocols',
    'requireSubprotocol',
    'maxPayloadBytes',
    'maxBufferedBytes',
    'perMessageDeflate',
    'closeTimeoutMs',
    'ws'
  ])('apply if %s is undefined', (name) => {
    expect(resolve({ [name]: undefined })).toEqual(defaultEndpoint)
  })

  test('use the host and scheme of the request', () => {
    expect(resolveOptions({}).effectiveRequest(plainRequest('a'))).toEqual({ host: 'a', scheme: undefined })
  })

  test('write a fault with its stack', () => {
    const error = new Error('broken\nin two')
    resolveOptions({}).onError(error, fault)
    expect(takePrinted()).toEqual([
      expect.stringMatching(/^oneport: fault in handler at "\/": Error: broken\n {4}in two(?:\n {4}at [^\n]*)+$/)
    ])
  })

  test('write one line for a fault that is not an Error', () => {
    resolveOptions({}).onError('reason', fault)
    expect(takePrinted()).toEqual(['oneport: fault in handler at "/": reason'])
  })

  test('write one line for an Error without a stack', () => {
    const error = new RangeError('bare')
    Object.defineProperty(error, 'stack', { value: undefined })
    resolveOptions({}).onError(error, fault)
    expect(takePrinted()).toEqual(['oneport: fault in handler at "/": RangeError: bare'])
  })

  test('write a line for a refusal that the operator can do something about, and for no other', () => {
    const { onRefused } = resolveOptions({})
    onRefused(new HandshakeError('HANDSHAKE_ORIGIN', 'm', 'origin "x"'), plainRequest())
    onRefused(new HandshakeError('HANDSHAKE_KEY', 'm'), plainRequest())
    expect(takePrinted()).toEqual(['oneport: HANDSHAKE_ORIGIN: origin "x"'])
  })
})

describe('the options of an endpoint', () => {
  test('override the defaults', () => {
    const subprotocols = () => undefined
    const options: EndpointOptions = {
      allowedOrigins: ['https://b'],
      requireOrigin: true,
      subprotocols,
      requireSubprotocol: true,
      maxPayloadBytes: 10,
      perMessageDeflate: { threshold: 5 },
      closeTimeoutMs: 20,
      ws: { autoPong: false }
    }
    expect(resolve(options)).toEqual({
      origins: expect.objectContaining({ rule: "'https://b'" }),
      requireOrigin: true,
      subprotocols,
      requireSubprotocol: true,
      connection: {
        maxBufferedBytes: 16_777_216,
        maxPayloadBytes: 10,
        perMessageDeflate: { threshold: 5 },
        closeTimeoutMs: 20,
        coalesce: true,
        ws: { autoPong: false }
      }
    })
  })

  const given: [name: string, options: EndpointOptions][] = [
    ['requireOrigin', { requireOrigin: true }],
    ['subprotocols', { subprotocols: ['a', 'b'] }],
    ['requireSubprotocol', { requireSubprotocol: true }]
  ]
  const connection: [name: string, options: EndpointOptions][] = [
    ['maxPayloadBytes', { maxPayloadBytes: 10 }],
    ['perMessageDeflate', { perMessageDeflate: true }],
    ['closeTimeoutMs', { closeTimeoutMs: 20 }],
    ['ws', { ws: { autoPong: false } }]
  ]

  test.each(given)('change nothing else with %s', (_name, options) => {
    expect(resolve(options)).toEqual({ ...defaultEndpoint, ...options })
  })

  test.each(connection)('change nothing else with %s', (_name, options) => {
    expect(resolve(options)).toEqual({ ...defaultEndpoint, connection: { ...defaultEndpoint.connection, ...options } })
  })

  test.each([...given, ...connection])('inherit %s from the attachment', (_name, options) => {
    const attachment = resolveOptions(options)
    expect(resolveEndpoint({}, attachment.endpoint)).toEqual(attachment.endpoint)
    expect(resolveEndpoint({ allowedOrigins: 'any' }, attachment.endpoint)).toEqual({
      ...attachment.endpoint,
      origins: expect.objectContaining({ rule: "'any'" })
    })
  })

  test('inherit allowedOrigins from the attachment', () => {
    const attachment = resolveOptions({ allowedOrigins: ['https://b'] })
    expect(resolveEndpoint({ requireOrigin: true }, attachment.endpoint).origins.rule).toBe("'https://b'")
  })

  test.each([...given, ...connection])('inherit %s next to another connection option', (name, options) => {
    const attachment = resolveOptions(options)
    const other: EndpointOptions = name === 'closeTimeoutMs' ? { maxPayloadBytes: 7 } : { closeTimeoutMs: 7 }
    expect(resolveEndpoint(other, attachment.endpoint)).toEqual({
      ...attachment.endpoint,
      connection: { ...attachment.endpoint.connection, ...other }
    })
  })

  test('turn off what the attachment turned on', () => {
    const attachment = resolveOptions({
      requireOrigin: true,
      subprotocols: ['a'],
      requireSubprotocol: true,
      perMessageDeflate: true
    })
    const off = { requireOrigin: false, subprotocols: [], requireSubprotocol: false, perMessageDeflate: false }
    expect(resolveEndpoint(off, attachment.endpoint)).toEqual(defaultEndpoint)
  })

  test('share the connection options if they change none of them', () => {
    const attachment = resolveOptions({ maxPayloadBytes: 10 })
    expect(resolveEndpoint({ requireOrigin: true }, attachment.endpoint).connection).toBe(
      attachment.endpoint.connection
    )
  })

  test.each([1, 2, 1_048_576, 2 ** 31 - 1, Infinity])('accept maxPayloadBytes %p', (maxPayloadBytes) => {
    expect(resolve({ maxPayloadBytes }).connection.maxPayloadBytes).toBe(maxPayloadBytes)
  })

  test.each([1, 5_000, 2 ** 31 - 1])('accept closeTimeoutMs %p', (closeTimeoutMs) => {
    expect(resolve({ closeTimeoutMs }).connection.closeTimeoutMs).toBe(closeTimeoutMs)
  })

  test.each([true, false, {}, { threshold: 1 }])('accept perMessageDeflate %p', (perMessageDeflate) => {
    expect(resolve({ perMessageDeflate }).connection.perMessageDeflate).toEqual(perMessageDeflate)
  })

  test.each([[[]], [['chat']], [['__proto__', 'toString', 'v2.chat!']]])('accept subprotocols %p', (subprotocols) => {
    expect(resolve({ subprotocols }).subprotocols).toEqual(subprotocols)
  })
})

describe('wrong options', () => {
  const nothingOf = {
    boolean: [null, 0, 1, 'true', {}] as unknown[],
    function: [null, true, 1, 'f', {}] as unknown[]
  }
  const text = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value))
  const rows: [name: string, value: unknown, expected: string][] = [
    ...nothingOf.boolean.map((value): [string, unknown, string] => ['requireOrigin', value, 'a boolean']),
    ...nothingOf.boolean.map((value): [string, unknown, string] => ['requireSubprotocol', value, 'a boolean']),
    ...[null, true, 5, 'chat', {}].map((value): [string, unknown, string] => [
      'subprotocols',
      value,
      'a list of names or a function'
    ]),
    ...[null, 0, -1, 1.5, Number.NaN, -Infinity, 2 ** 31, '1', '1mb', true, {}].map(
      (value): [string, unknown, string] => [
        'maxPayloadBytes',
        value,
        'a whole number of bytes from 1 to 2147483647, or Infinity'
      ]
    ),
    ...[null, 0, -1, 1.5, Number.NaN, Infinity, '5000', true, {}].map((value): [string, unknown, string] => [
      'closeTimeoutMs',
      value,
      'a whole number of milliseconds from 1 to 2147483647'
    ]),
    ...[null, 0, 1, 'yes'].map((value): [string, unknown, string] => [
      'perMessageDeflate',
      value,
      'true, false, or the options of ws'
    ]),
    ...[null, true, 5, 'ws'].map((value): [string, unknown, string] => ['ws', value, 'an object with options of ws'])
  ]

  const wordHint = (name: string, value: unknown) =>
    name === 'subprotocols' && value === 'chat' ? "; did you mean ['chat']?" : ''

  test.each(rows)('of an endpoint: %s must not be %p', (name, value, expected) => {
    const hint =
      /^\d+$/.test(String(value)) && typeof value === 'string' ? `; did you mean ${value}?` : wordHint(name, value)
    const error = new TypeError(`${name}: expected ${expected}; got ${text(value)}${hint}`)
    expect(() => resolve({ [name]: value })).toThrow(error)
    expect(() => resolve({ [name]: value, closeTimeoutMs: 1, ws: {}, [name]: value })).toThrow(error)
    expect(() => resolveOptions({ [name]: value })).toThrow(error)
    expect(() => checkOptions({ [name]: value }, 'call')).toThrow(`call: ${error.message}`)
  })

  const functions = ['onError', 'onRefused', 'effectiveRequest']
  test.each(functions.flatMap((name) => nothingOf.function.map((value): [string, unknown] => [name, value])))(
    'of an attachment: %s must not be %p',
    (name, value) => {
      const error = new TypeError(`${name}: expected a function; got ${text(value)}`)
      expect(() => resolveOptions({ [name]: value })).toThrow(error)
      expect(() => checkOptions({ [name]: value }, 'call')).toThrow(`call: ${error.message}`)
    }
  )

  test.each(['', 'a b', 'a,b', 'a/b', 'é', ' a', 'a\n', 5, null, undefined])(
    'of an endpoint: %p is not the name of a subprotocol',
    (name) => {
      expect(() => resolve({ subprotocols: ['good', name] })).toThrow(
        new TypeError(
          `subprotocols: expected names made of token characters (RFC 9110 §5.6.2), such as 'chat.v2'; got ${text(name)}`
        )
      )
    }
  )

  test('of an endpoint: a subprotocol must not be in the list twice', () => {
    expect(() => resolve({ subprotocols: ['a', 'b', 'a'] })).toThrow(
      new TypeError("subprotocols: expected unique names; got 'a, b, a'")
    )
  })

  test('of an endpoint: allowedOrigins is checked too', () => {
    for (const allowedOrigins of [null, 5, 'https://a', ['any'], ['https://a/b']]) {
      expect(() => resolve({ allowedOrigins })).toThrow(/^allowedOrigins: expected .+; got .+/)
      expect(() => checkOptions({ allowedOrigins } as unknown as AttachOptions, 'call')).toThrow(TypeError)
    }
  })

  test.each<[name: string, value: unknown]>([
    ['ws', []],
    ['perMessageDeflate', []],
    ['closeTimeoutMs', []],
    ['requireOrigin', []],
    ['allowedOrigins', Object.create(null)]
  ])('of an endpoint: %s is reported even if the value cannot be printed', (name, value) => {
    expect(() => resolve({ [name]: value })).toThrow(new RegExp(`^${name}: expected .+; got .+`))
  })

  test.each(['WebSocket', 'backlog', 'clientTracking', 'closeTimeout', 'handleProtocols', 'host', 'maxPayload'])(
    'of ws: %s is set by Oneport',
    (name) => {
      expect(() => resolve({ ws: { [name]: undefined } })).toThrow(
        new RegExp(`^ws\\.${name}: cannot be set here; use .+`)
      )
    }
  )

  test.each([
    ['maxPayload', 'maxPayloadBytes'],
    ['perMessageDeflate', 'perMessageDeflate beside ws'],
    ['closeTimeout', 'closeTimeoutMs'],
    ['handleProtocols', 'subprotocols'],
    ['verifyClient', 'middleware, a hook, or allowedOrigins'],
    ['noServer', 'attach(server); wsUpgrade() and wsPlugin find the server themselves'],
    ['server', 'attach(server); wsUpgrade() and wsPlugin find the server themselves'],
    ['port', 'server.listen()'],
    ['host', 'server.listen()'],
    ['path', 'a route of your framework'],
    ['clientTracking', 'the connections of what attach() or wsUpgrade() returns, or of app.websockets']
  ])('of ws: %s names what to use instead', (name, instead) => {
    expect(() => resolve({ ws: { autoPong: true, [name]: 1 } })).toThrow(
      new TypeError(`ws.${name}: cannot be set here; use ${instead}`)
    )
  })

  test('of ws: others are passed on unchanged', () => {
    const ws = { autoPong: false, maxFragments: 3, skipUTF8Validation: true }
    expect(resolve({ ws }).connection.ws).toEqual(ws)
  })

  test.each([
    ['maxFragment', 'did you mean ws.maxFragments?'],
    ['autopong', 'did you mean ws.autoPong?'],
    ['skipUTF8validation', 'did you mean ws.skipUTF8Validation?'],
    ['compress', `see ${pages}/options.md`]
  ])('regression: of ws: a name such as %s passed silently', (name, hint) => {
    expect(() => resolve({ ws: { [name]: 1 } })).toThrow(new TypeError(`unknown option 'ws.${name}'; ${hint}`))
  })

  test('regression: a RegExp was shown as [object RegExp]', () => {
    expect(() => resolve({ subprotocols: /chat\.v\d/ })).toThrow(
      new TypeError('subprotocols: expected a list of names or a function; got /chat\\.v\\d/')
    )
    const long = new RegExp('x'.repeat(10_000))
    expect(() => resolve({ subprotocols: long })).toThrow(/got \/x{255}…$/)
  })

  const page = `see ${pages}/options.md`
  const names: [name: string, hint: string][] = [
    ['allowedOrigin', 'did you mean allowedOrigins?'],
    ['AllowedOrigins', 'did you mean allowedOrigins?'],
    ['origins', 'did you mean allowedOrigins?'],
    ['maxPayloadByte', 'did you mean maxPayloadBytes?'],
    ['maxPaylaodBytes', 'did you mean maxPayloadBytes?'],
    ['subProtocols', 'did you mean subprotocols?'],
    ['protocols', 'did you mean subprotocols?'],
    ['closeTimeoutSeconds', page],
    ['wsOptions', 'did you mean ws?'],
    ['maxPayload', 'use maxPayloadBytes'],
    ['verifyClient', 'use middleware, a hook, or allowedOrigins'],
    ['path', 'use a route of your framework'],
    ['autoPong', 'did you mean ws: { autoPong }?'],
    ['expiresAt', 'it applies to one connection; set it in acceptWebSocket()'],
    ['', page],
    ['0', page],
    ['toString', page],
    ['constructor', page],
    ['x'.repeat(10_000), page]
  ]

  test.each(names)('are named %.20s: %s', (name, hint) => {
    const message = `unknown option '${name.slice(0, 256)}${name.length > 256 ? '…' : ''}'; ${hint}`
    expect(() => resolve({ [name]: true })).toThrow(new TypeError(message))
    expect(() => resolveOptions({ [name]: undefined } as AttachOptions)).toThrow(new TypeError(message))
    expect(() => checkOptions({ [name]: 1 } as AttachOptions, 'call')).toThrow(new TypeError(`call: ${message}`))
  })

  test.each([
    ['heartbeats', 'did you mean heartbeat?'],
    ['handshakeTimeout', 'did you mean handshakeTimeoutMs?'],
    ['maxConn', 'did you mean maxConnections?'],
    ['onClose', 'did you mean onClosed?'],
    ['onRefuse', 'did you mean onRefused?'],
    ['pingInterval', page]
  ])('of an attachment are named %s: %s', (name, hint) => {
    expect(() => resolveOptions({ [name]: 1 } as AttachOptions)).toThrow(
      new TypeError(`unknown option '${name}'; ${hint}`)
    )
  })

  test.each(['heartbeat', 'onError', 'maxConnections', 'claims', 'effectiveRequest'])(
    'of an endpoint are named %s, which is for the whole server',
    (name) => {
      expect(() => resolve({ [name]: 1 })).toThrow(
        new TypeError(
          `unknown option '${name}'; it applies to the whole server; set it in wsUpgrade(), wsPlugin or attach()`
        )
      )
    }
  )

  test('are named as one that an adapter takes by itself', () => {
    expect(() => checkOptions({ drian: 1 } as AttachOptions, 'call', undefined, ['drain'])).toThrow(
      new TypeError("call: unknown option 'drian'; did you mean drain?")
    )
  })

  test('are named __proto__', () => {
    expect(() => resolve(JSON.parse('{ "__proto__": true }'))).toThrow(/^unknown option '__proto__'; see https:/)
  })

  test('are in an error whose stack begins at the call', () => {
    const call = (): void => checkOptions({ maxPayload: 1 } as AttachOptions, 'call', call)
    let stack = ''
    try {
      call()
    } catch (error) {
      stack = String((error as Error).stack)
    }
    expect(stack).toMatch(
      /^TypeError: call: unknown option 'maxPayload'; use maxPayloadBytes\n {4}at .*server\.test\.ts/
    )
  })

  test.each([undefined, null, 5, 'any', true, () => {}])('are %p instead of an object', (options) => {
    const error = new TypeError(
      `options: expected an object; got ${typeof options === 'function' ? 'a function' : text(options)}`
    )
    expect(() => resolveEndpoint(options as EndpointOptions, defaultEndpoint)).toThrow(error)
    expect(() => resolveOptions(options as AttachOptions)).toThrow(error)
    expect(() => checkOptions(options as AttachOptions, 'call')).toThrow(`call: ${error.message}`)
  })

  test('are a list instead of an object', () => {
    expect(() => resolveOptions([] as AttachOptions)).toThrow(/^options: expected an object; got ./)
  })

  // https://nodejs.org/api/timers.html#settimeoutcallback-delay-args: a longer delay becomes one millisecond.
  test('of an endpoint: closeTimeoutMs must not be longer than a timer can be', () => {
    for (const closeTimeoutMs of [2 ** 31, Number.MAX_SAFE_INTEGER]) {
      expect(() => resolve({ closeTimeoutMs })).toThrow(/^closeTimeoutMs: expected .+; got \d+$/)
    }
  })
})

describe('the limits of an attachment', () => {
  test('match the doc comments', () => {
    expect(resolveOptions({})).toMatchObject({
      heartbeat: { intervalMs: 30_000, timeoutMs: 10_000 },
      handshakeTimeoutMs: 10_000,
      maxPendingHandshakes: 1_000,
      maxConnections: 50_000,
      maxConnectionsPerAddress: Infinity
    })
    expect(resolveOptions({ heartbeat: false }).heartbeat).toBeUndefined()
    expect(resolveOptions({ heartbeat: { timeoutMs: 5 } }).heartbeat).toEqual({ intervalMs: 30_000, timeoutMs: 5 })
  })

  const wrong = [null, 0, -1, 1.5, Number.NaN, '5', true, {}]
  const counts = ['maxPendingHandshakes', 'maxConnections', 'maxConnectionsPerAddress', 'maxBufferedBytes']
  test.each([...counts, 'handshakeTimeoutMs'])('refuse a wrong %s', (name) => {
    for (const value of wrong) {
      expect(() => resolveOptions({ [name]: value })).toThrow(
        new RegExp(`^${name}: expected a (?:positive )?whole number of .*; got .`)
      )
    }
    expect(() => resolveOptions({ [name]: Infinity })).not.toThrow()
  })

  test('refuse a wrong heartbeat', () => {
    for (const heartbeat of [null, true, 5, 'fast']) {
      expect(() => resolveOptions({ heartbeat: heartbeat as never })).toThrow(/^heartbeat: expected .* or false; got ./)
    }
    expect(() => resolveOptions({ heartbeat: { interval: 5 } as never })).toThrow(
      "unknown option 'heartbeat.interval'; did you mean heartbeat.intervalMs?"
    )
    for (const name of ['intervalMs', 'timeoutMs']) {
      for (const value of [...wrong, Infinity]) {
        expect(() => resolveOptions({ heartbeat: { [name]: value } })).toThrow(
          new RegExp(`^heartbeat.${name}: expected`)
        )
      }
    }
  })
})

describe('the options of an attachment', () => {
  test('accept every name that there is', () => {
    const options: Required<AttachOptions> = {
      allowedHosts: ['app.example'],
      allowedOrigins: 'any',
      requireOrigin: true,
      subprotocols: ['a'],
      requireSubprotocol: true,
      maxPayloadBytes: 1,
      maxBufferedBytes: 1,
      perMessageDeflate: true,
      closeTimeoutMs: 1,
      coalesce: true,
      messageBudget: { messages: 1, perMs: 1 },
      ws: {},
      heartbeat: false,
      claims: () => true,
      bearerSubprotocol: 'bearer.',
      onClosed: () => {},
      handshakeTimeoutMs: 1,
      maxPendingHandshakes: 1,
      maxPendingHandshakesPerAddress: 1,
      maxConnections: 1,
      maxConnectionsPerAddress: 1,
      onError: () => {},
      onRefused: () => {},
      effectiveRequest: () => ({})
    }
    expect(checkOptions(options, 'call')).toBeUndefined()
  })

  test('use the given functions', () => {
    const onError = jest.fn()
    const onRefused = jest.fn()
    const effectiveRequest = jest.fn(() => ({ host: 'b', scheme: 'https' as const }))
    const resolved = resolveOptions({ onError, onRefused, effectiveRequest })
    const error = new Error('e')
    const refusal = new HandshakeError('HANDSHAKE_ORIGIN', 'm', 'd')
    const req = plainRequest('a')
    resolved.onError(error, fault)
    resolved.onRefused(refusal, req)
    expect(resolved.effectiveRequest(req)).toEqual({ host: 'b', scheme: 'https' })
    expect(onError.mock.calls).toEqual([[error, fault]])
    expect(onRefused.mock.calls).toEqual([[refusal, req]])
    expect(effectiveRequest.mock.calls).toEqual([[req]])
  })

  test('are split into those of the server and those of the endpoint, without undefined ones', () => {
    const server: Required<ServerOptions> = {
      allowedHosts: ['app.example'],
      bearerSubprotocol: 'bearer.',
      claims: () => true,
      effectiveRequest: () => ({}),
      handshakeTimeoutMs: 1,
      heartbeat: false,
      maxConnections: 1,
      maxConnectionsPerAddress: 1,
      maxPendingHandshakes: 1,
      maxPendingHandshakesPerAddress: 1,
      onClosed: () => {},
      onError: () => {},
      onRefused: () => {}
    }
    const endpoint = { allowedOrigins: 'any', maxPayloadBytes: 1 } as const
    expect(splitOptions({ ...endpoint, ...server, subprotocols: undefined })).toEqual({ server, endpoint })
    expect(splitOptions({ onError: undefined, requireOrigin: undefined })).toEqual({ server: {}, endpoint: {} })
  })

  test('begin without resolved endpoints', () => {
    const options: EndpointOptions = {}
    expect(resolveOptions(options).endpoints.has(options)).toBe(false)
  })

  test('contain an onError that throws, and log both faults', () => {
    const { onError } = resolveOptions({
      onError: () => {
        throw new Error('the log is full')
      }
    })
    expect(() => onError(new Error('broken'), fault)).not.toThrow()
    expect(takePrinted()).toEqual([
      expect.stringContaining('fault in handler at "/": Error: broken'),
      expect.stringContaining('fault in handler at "/": Error: the log is full')
    ])
  })

  test('contain an onError that rejects, and log both faults', async () => {
    const rejected = Promise.reject(new Error('the log is away'))
    rejected.catch(() => {})
    const then = jest.spyOn(rejected, 'then')
    const { onError } = resolveOptions({ onError: () => rejected })
    onError(new Error('broken'), fault)
    await new Promise(setImmediate)
    // Nothing else handles the promise, so its rejection would end the process.
    expect(then).toHaveBeenCalled()
    expect(takePrinted()).toEqual([
      expect.stringContaining('fault in handler at "/": Error: broken'),
      expect.stringContaining('fault in handler at "/": Error: the log is away')
    ])
  })
})
