import { Context } from '../src/context.ts'
import { History } from '../src/history/history.ts'
import { Log, type LogLimits } from '../src/history/log.ts'
import { createTopics } from '../src/index.ts'
import { Message } from '../src/message.ts'

const unlimited: LogLimits = { messages: Infinity, ms: Infinity, bytes: Infinity }
const message = (text: string): Message => new Message(text, false, false)
const textAt = (log: Log, offset: number): string => String(log.at(offset).payload)

describe('a log', () => {
  const filled = (limits: Partial<LogLimits>, times: number[]): Log => {
    const log = new Log('e', { ...unlimited, ...limits }, 0)
    for (const [index, time] of times.entries()) log.append(message(String(index + 1)), time)
    return log
  }

  test('begins without messages, before the first offset', () => {
    expect(filled({}, [])).toMatchObject({ first: 1, last: 0, size: 0, cost: 0 })
  })

  test('has consecutive offsets', () => {
    const log = filled({}, [0, 0, 0])
    expect(log).toMatchObject({ first: 1, last: 3, size: 3 })
    expect([1, 2, 3].map((offset) => textAt(log, offset))).toEqual(['1', '2', '3'])
  })

  test.each([0, 4, -1, 1.5])('has no message at %d', (offset) => {
    expect(() => filled({}, [0, 0, 0]).at(offset)).toThrow(RangeError)
  })

  test('keeps so many messages, over many thousands', () => {
    const log = filled({ messages: 3 }, Array(10_000).fill(0))
    expect(log).toMatchObject({ first: 9_998, last: 10_000, size: 3 })
    expect(textAt(log, 9_998)).toBe('9998')
    expect(() => log.at(9_997)).toThrow(RangeError)
  })

  test('keeps messages for so long', () => {
    const log = filled({ ms: 100 }, [0, 50, 100, 149])
    expect(log.first).toBe(2)
    log.trim(200)
    expect(log).toMatchObject({ first: 4, size: 1 })
    log.trim(249)
    expect(log).toMatchObject({ first: 5, last: 4, size: 0, cost: 0 })
  })

  test('keeps so many bytes, with 1 KiB of overhead for each message', () => {
    const log = filled({ bytes: 2 * (1_024 + 3) }, [0, 0, 0])
    expect(log).toMatchObject({ first: 2, cost: 2 * (1_024 + 3) })
  })

  test('drops a message that is larger than its limit, which still has an offset', () => {
    expect(filled({ bytes: 1 }, [0])).toMatchObject({ first: 2, last: 1, size: 0, cost: 0 })
  })
})

describe('the histories', () => {
  const start = (maxBytes: number, inUse: string[] = [], limits: Partial<LogLimits> = {}): History =>
    new History(
      {
        limitsOf: (topic) => (topic.startsWith('no') ? undefined : { ...unlimited, ...limits }),
        maxBytes,
        isInUse: (topic) => inUse.includes(topic)
      },
      new Context()
    )

  const publish = (history: History, topic: string, text = 'x'): Log => {
    const log = history.logOf(topic)
    if (log === undefined) throw new Error('no log')
    history.append(topic, log, message(text))
    return log
  }

  test('have a log for each topic that has a history', () => {
    const history = start(Infinity)
    expect(history.logOf('none')).toBeUndefined()
    expect(publish(history, 'a')).toBe(publish(history, 'a'))
    expect(publish(history, 'b').epoch).not.toBe(publish(history, 'a').epoch)
    history.close()
  })

  test('take the oldest messages of the topics without a new one for the longest time, beyond the limit', () => {
    const history = start(10_000)
    const [a, b] = [publish(history, 'a'), publish(history, 'b')]
    publish(history, 'a')
    for (let count = 0; count < 4; count++) publish(history, 'c')
    expect(history.counts.bytes).toBeLessThanOrEqual(10_000)
    expect([a.size, b.size, history.logOf('c')?.size]).toEqual([2, 1, 4])
    for (let count = 0; count < 3; count++) publish(history, 'c')
    expect(history.counts.bytes).toBeLessThanOrEqual(10_000)
    expect([b.size, a.size <= 1]).toEqual([0, true])
    expect(history.logOf('c')?.size).toBe(7)
    history.close()
  })

  test('go on with the offsets of a topic that has subscribers', () => {
    const history = start(1_600, ['a'])
    publish(history, 'a')
    publish(history, 'b')
    expect(publish(history, 'a')).toMatchObject({ last: 2 })
    history.close()
  })

  test('begin another epoch for a topic that they have forgotten', () => {
    const history = start(1_600)
    const { epoch } = publish(history, 'a')
    publish(history, 'b')
    expect(publish(history, 'a')).toMatchObject({ last: 1 })
    expect(history.logOf('a')?.epoch).not.toBe(epoch)
    history.close()
  })

  test('regression: many topics in use without messages are not searched again and again', () => {
    const topics = Array.from({ length: 20_000 }, (_, index) => `t${index}`)
    const history = start(1_000_000, topics)
    for (const topic of topics) publish(history, topic)
    expect(history.counts).toMatchObject({ topics: 20_000 })
    history.close()
  })

  test('forget a topic when its time is over, and keep no timer then', async () => {
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] })
    try {
      const history = start(Infinity, ['used'], { ms: 1_500 })
      publish(history, 'a')
      publish(history, 'used')
      jest.advanceTimersByTime(1_000)
      expect(history.counts).toMatchObject({ topics: 2, messages: 2 })
      jest.advanceTimersByTime(1_000)
      expect(history.counts).toMatchObject({ topics: 1, messages: 0 })
      history.close()
      expect(jest.getTimerCount()).toBe(0)
    } finally {
      jest.useRealTimers()
    }
  })
})

test.each([
  [7, /history: expected an object with messages, ms and bytes, or a function; got 7/],
  [{ message: 1 }, /unknown option 'message'; did you mean messages\?/],
  [{ ms: 0 }, /history\.ms: expected a positive whole number of milliseconds, or Infinity; got 0/],
  [{ bytes: '1' }, /history\.bytes: expected a positive whole number of bytes/]
])('refuses history: %j', (history, message) => {
  expect(() => createTopics({ history: history as never })).toThrow(message)
})

test('a function that returns wrong limits fails where the topic is used', () => {
  const topics = createTopics({ history: () => ({ ms: -1 }) })
  expect(() => topics.publish('news', 'a')).toThrow(/history\.ms/)
})
