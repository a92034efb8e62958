import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { io } from 'socket.io-client'
// The built files, because they start others. `npm test` builds before it tests.
import { Lab } from '../dist/lab.js'
import { suites } from '../dist/suites/index.js'
import type { Suite } from '../dist/suites/suite.js'
import { broadcastText, broadcastTextOf } from '../src/contenders/broadcast.ts'
import { origin } from '../src/contenders/endpoint.ts'
import { start, stop } from '../src/contenders/resume-socket-io.ts'
import { Ledger, readMessage, writeMessage } from '../src/generator/resume/ledger.ts'
import { Listener } from '../src/generator/resume/listener.ts'
import { talkOf } from '../src/generator/resume/talk.ts'

// Starting processes takes long on a busy machine.
jest.setTimeout(120_000)

describe('a ledger', () => {
  const ledgerOf = (...numbers: number[]): Ledger => {
    const ledger = new Ledger()
    for (const number of numbers) ledger.add({ topic: 'news', number })
    return ledger
  }

  test('knows which messages are missing, and whether a later one has arrived', () => {
    expect(ledgerOf(1, 2, 4).missing('news', 4)).toBe(1)
    expect(ledgerOf(1, 2, 4).hasHole('news')).toBe(true)
    expect(ledgerOf(1, 2).missing('news', 4)).toBe(2)
    expect(ledgerOf(1, 2).hasHole('news')).toBe(false)
    expect(ledgerOf().missing('news', 2)).toBe(2)
    expect(ledgerOf().hasHole('news')).toBe(false)
  })

  test('counts messages that arrive again', () => {
    expect(ledgerOf(1, 2, 1, 1).doubled).toBe(2)
  })

  test('reads the messages that it writes', () => {
    const text = writeMessage({ topic: 'room/7', number: 12 })
    expect(text).toHaveLength(256)
    expect(readMessage(text)).toEqual({ topic: 'room/7', number: 12 })
    expect(() => readMessage('room/7 x')).toThrow('Not a message: room/7 x')
  })
})

describe('a client of oneport.topics.1', () => {
  test('goes on after the last message of each topic', () => {
    const talk = talkOf('oneport.topics', ['news', 'room/7'])
    expect(talk.begin()).toEqual(['subscribe - news', 'subscribe - room/7'])
    expect(talk.hear('subscribed e1 4 new news')).toEqual({ kind: 'other' })
    expect(talk.hear('subscribed e2 0 new room/7')).toEqual({ kind: 'open', isResumed: true })
    expect(talk.hear('message 5 news\nhello\nthere')).toEqual({ kind: 'message', text: 'hello\nthere' })
    expect(talk.begin()).toEqual(['subscribe e1:5 news', 'subscribe e2:0 room/7'])
    talk.hear('subscribed e1 5 resumed news')
    expect(talk.hear('subscribed e2 0 resumed room/7')).toEqual({ kind: 'open', isResumed: true })
  })

  test('notices when it is told of a gap', () => {
    const talk = talkOf('oneport.topics', ['news', 'room/7'])
    talk.begin()
    talk.hear('subscribed e3 0 gap news')
    expect(talk.hear('subscribed e2 0 resumed room/7')).toEqual({ kind: 'open', isResumed: false })
    expect(talk.hear('gap e3 9 news')).toEqual({ kind: 'gap' })
    expect(talk.begin()[0]).toBe('subscribe e3:9 news')
    expect(() => talk.hear('error forbidden subscribe - news')).toThrow('error forbidden')
  })
})

describe('a client of socket.io', () => {
  const opened = (pid: string): string => `40${JSON.stringify({ sid: 's', pid })}`

  test('sends its session and the offset of its last message when it comes back', () => {
    const talk = talkOf('socket.io', ['news'])
    expect(talk.begin()).toEqual(['40{"rooms":["news"]}'])
    expect(talk.hear(opened('p'))).toEqual({ kind: 'open', isResumed: true })
    expect(talk.hear('42["message","hello","1-0"]')).toEqual({ kind: 'message', text: 'hello' })
    expect(talk.begin()).toEqual(['40{"pid":"p","offset":"1-0","rooms":["news"]}'])
    expect(talk.hear(opened('p'))).toEqual({ kind: 'open', isResumed: true })
  })

  test('notices when its session is another one, and answers pings', () => {
    const talk = talkOf('socket.io', ['news'])
    talk.hear(opened('p'))
    expect(talk.hear(opened('q'))).toEqual({ kind: 'open', isResumed: false })
    expect(talk.hear('2')).toEqual({ kind: 'ping', answer: '3' })
    expect(() => talk.hear('44{"message":"no"}')).toThrow('44{"message":"no"}')
  })

  test('gets what socket.io-client gets, after both have lost their connections', async () => {
    const { port } = (await start({})).address() as AddressInfo
    const real = io(`http://127.0.0.1:${port}`, {
      transports: ['websocket'],
      reconnectionDelay: 300,
      auth: { rooms: ['news'] },
      extraHeaders: { origin }
    })
    const got: string[] = []
    real.on('message', (text: string) => got.push(text))
    await once(real as never, 'connect')
    const publisher = new Listener(port, talkOf('socket.io', ['other']), [])
    await publisher.open()

    let wanted = 1
    let arrived = (): void => {}
    const listener = new Listener(port, talkOf('socket.io', ['news']), ['news'], ({ received }) => {
      if (received.missing('news', wanted) === 0) arrived()
    })
    await listener.open()
    const publish = (number: number): void => publisher.publish('news', writeMessage({ topic: 'news', number }))
    const first = new Promise<void>((resolve) => {
      arrived = resolve
    })
    publish(1)
    await first

    const rest = new Promise<void>((resolve) => {
      wanted = 2
      arrived = resolve
    })
    const back = once(real as never, 'connect')
    real.io.engine.close()
    listener.loseConnection()
    publish(2)
    await Promise.all([back, rest])
    expect(real.recovered).toBe(true)
    expect(listener.told).toBe(0)
    expect(listener.received.doubled).toBe(0)
    if (got.length < 2) await once(real as never, 'message')
    expect(got.map((text) => readMessage(text).number)).toEqual([1, 2])

    real.close()
    await Promise.all([listener.leave(), publisher.leave()])
    await stop()
  })
})

test('a larger broadcast message has the size that is asked for, and does not repeat itself', () => {
  expect(broadcastTextOf(256)).toHaveLength(256)
  const text = broadcastTextOf(16_384)
  expect(text).toHaveLength(16_384)
  const parts = Array.from({ length: 64 }, (_, index) => text.slice(index * 256, (index + 1) * 256))
  expect(new Set(parts).size).toBe(64)
  expect(parts.every((part) => part.length === broadcastText.length)).toBe(true)
})

describe('20 clients of each contender', () => {
  const lab = new Lab({ divisor: 250, warmUps: 0, connections: 20, heartbeatMs: 1_000, profiles: undefined })
  afterAll(() => lab.end())

  async function measure(name: string): Promise<Record<'socketIo' | 'topics', Readonly<Record<string, number>>>> {
    const suite = suites.find((known) => known.name === name) as Suite
    const { measured } = await lab.run(suite, suite.entries, 1, () => {})
    const [socketIo = {}, topics = {}] = measured.map(({ samples }) => samples[0] ?? {})
    return { socketIo, topics }
  }

  test.each(['resume-restart', 'resume-restart-busy'])('come back: %s', async (name) => {
    const { socketIo, topics } = await measure(name)
    expect(topics).toMatchObject({ complete: 20, told: 0, unaware: 0, late: 0, doubled: 0 })
    // Some of them may lose messages, see the notes on the page.
    expect(socketIo.told).toBe(0)
    expect((socketIo.complete ?? 0) + (socketIo.unaware ?? 0)).toBe(20)
  })

  test('come back after a crash, when socket.io tells its clients that they are new', async () => {
    const { socketIo, topics } = await measure('resume-crash')
    expect(topics).toMatchObject({ complete: 20, told: 0, unaware: 0, late: 0, doubled: 0 })
    expect(socketIo).toMatchObject({ complete: 0, told: 20, unaware: 0, late: 0 })
  })

  test('take memory', async () => {
    const { socketIo, topics } = await measure('resume-memory')
    const figures = { heap: expect.any(Number), rss: expect.any(Number) }
    expect(socketIo).toEqual(figures)
    expect(topics).toEqual(figures)
  })
})
