import { WebSocket } from 'ws'
import {
  connectTopics,
  type Position,
  ReconnectingWebSocket,
  type ReconnectingWebSocketOptions,
  type TopicsOptions
} from '../src/index.ts'
import { Places } from '../src/topics/places.ts'

// Nobody listens there, and nobody gets as far as trying.
const url = 'ws://127.0.0.1:1/topics'

describe('an option that is wrong', () => {
  test.each<[object, RegExp]>([
    [{ minDelayMs: Number.NaN }, /^minDelayMs: expected a number from 0; got NaN$/],
    [{ maxDelayMs: '30s' }, /^maxDelayMs: expected a number from 0; got 30s$/],
    [{ spreadMs: -1 }, /^spreadMs: .*; got -1$/],
    [{ stableMs: null }, /^stableMs: .*; got null$/],
    [{ connectTimeoutMs: Object.create(null) }, /^connectTimeoutMs: .*; got object$/],
    [{ maxRetries: Symbol('many') }, /^maxRetries: .*; got Symbol\(many\)$/],
    [{ heartbeat: { intervalMs: Number.NaN } }, /^intervalMs: .*; got NaN$/],
    [{ heartbeat: { timeoutMs: () => 1 } }, /^timeoutMs: .*; got function$/],
    [{ queue: { messages: '100' } }, /^messages: .*; got 100$/],
    [{ queue: { bytes: -5 } }, /^bytes: .*; got -5$/]
  ])('is refused, of the socket and of topics: %p', (wrong, message) => {
    const options: ReconnectingWebSocketOptions = { webSocket: WebSocket, ...wrong }
    for (const open of [() => new ReconnectingWebSocket(url, [], options), () => connectTopics(url, options)]) {
      expect(open).toThrow(TypeError)
      expect(open).toThrow(message)
    }
  })

  test.each<[unknown, RegExp]>([
    [[], /^transports: expected some of websocket, stream, poll; got object$/],
    ['poll', /; got poll$/],
    [['poll', 'carrier pigeon'], /; got carrier pigeon$/],
    [[undefined], /; got undefined$/]
  ])('is refused: transports %p', (transports, message) => {
    expect(() => connectTopics(url, { transports } as TopicsOptions)).toThrow(message)
  })

  test.each([Number.NaN, -1, '1000'])('is refused: maxPending %p', (maxPending) => {
    expect(() => connectTopics(url, { maxPending } as TopicsOptions)).toThrow(/^maxPending: expected a number from 0/)
  })

  test.each(['ftp://127.0.0.1/topics', 'topics', 'http://['])('is refused: the URL %s', (address) => {
    const open = () => connectTopics(address, { transports: ['poll'] })
    expect(open).toThrow(TypeError)
    expect(open).toThrow('url: expected one with ws:, wss:, http: or https:, or relative to a page')
  })
})

describe('subscribe', () => {
  const topics = connectTopics(url, { webSocket: WebSocket })
  afterAll(() => topics.close())

  test.each<unknown>([
    '-',
    7,
    null,
    {},
    { epoch: 'a' },
    { epoch: 'a b', offset: 1 },
    { epoch: '', offset: 1 },
    { epoch: 'a'.repeat(65), offset: 1 },
    { epoch: Symbol('a'), offset: 1 },
    { epoch: 'a', offset: -1 },
    { epoch: 'a', offset: 1.5 },
    { epoch: 'a', offset: '1' },
    { epoch: 'a', offset: 2 ** 53 }
  ])('refuses since: %p', (since) => {
    expect(() => topics.subscribe('news', () => {}, { since: since as Position })).toThrow(
      /^since: expected 'all' or \{ epoch, offset \}; got /
    )
  })

  test('refuses what is not a listener', () => {
    expect(() => topics.subscribe('news', undefined as never)).toThrow(
      /^onMessage: expected a function; got undefined$/
    )
  })
})

describe('stored places', () => {
  const storageOf = (stored: string) => {
    const values = new Map([['there', stored]])
    return { getItem: (name: string) => values.get(name) ?? null, setItem: values.set.bind(values), values }
  }

  test.each([
    '',
    '{',
    '7',
    '"news"',
    '[1]',
    '{"news":7}',
    '{"news":{"epoch":"a b","offset":1}}',
    '{"news":{"epoch":"a"}}'
  ])('that are not places are ignored: %s', (stored) => {
    const places = new Places(storageOf(stored), 'there')
    expect(places.get('news')).toBeUndefined()
    expect(places.get('0')).toBeUndefined()
    places.close()
  })

  test('regression: the first one was written only after a while, so a page that was left early in Firefox had none', () => {
    const storage = storageOf('{}')
    const places = new Places(storage, 'there')
    const written = (): unknown => JSON.parse(String(storage.getItem('there')))
    places.set('news', { epoch: 'a', offset: 1 })
    expect(written()).toEqual({ news: { epoch: 'a', offset: 1 } })
    for (const offset of [2, 3]) places.set('news', { epoch: 'a', offset })
    // Later, or at the end.
    expect(written()).toEqual({ news: { epoch: 'a', offset: 1 } })
    places.close()
    expect(written()).toEqual({ news: { epoch: 'a', offset: 3 } })
  })

  test('are kept for topics of every name', () => {
    const storage = storageOf('{}')
    const names = ['__proto__', 'constructor', 'toString', 'news']
    const places = new Places(storage, 'there')
    names.forEach((name, offset) => {
      expect(places.get(name)).toBeUndefined()
      places.set(name, { epoch: 'a', offset })
    })
    places.close()
    const again = new Places(storage, 'there')
    expect(names.map((name) => again.get(name)?.offset)).toEqual([0, 1, 2, 3])
    again.close()
  })
})
