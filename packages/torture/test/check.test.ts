import { check } from '../src/check/check.ts'
import { compareViews } from '../src/check/views.ts'
import type { Happening } from '../src/journal.ts'
import { ask, evidence, gap, lost, message, subscribed, unsubscribed } from './log.ts'

type Change = (subscriber: Happening[]) => Happening[]

const faultsOf = (...given: Parameters<typeof evidence>): string[] => check(evidence(...given)).map(({ what }) => what)

/** The subscriber's log: 0 ask, 1 subscribed, 2 to 4 messages, 5 lost, 6 ask, 7 subscribed, 8 and 9 messages. */
const without = (index: number) => (log: Happening[]) => log.toSpliced(index, 1)
const replaced =
  (index: number, ...by: Happening[]) =>
  (log: Happening[]) =>
    log.toSpliced(index, 1, ...by)

test('finds nothing where every message arrives once and in order', () => {
  expect(faultsOf((log) => log)).toEqual([])
})

describe('finds', () => {
  test.each<[what: string, change: Change, fault: string]>([
    ['a dropped message', without(3), 'subscriber in news: message 3 behind 1, without a gap.'],
    ['a doubled message', replaced(3, message(2), message(2)), 'subscriber in news: message 2 again.'],
    ['swapped messages', replaced(3, message(3), message(2)), 'subscriber in news: message 3 behind 1, without a gap.'],
    ['another payload', replaced(3, message(2, 'message 9')), 'Two messages are at e.0:2 news.'],
    ['a message that nobody published', (log) => [...log, message(6, 'x')], 'Nobody had published this in news.'],
    [
      'a dropped message at the end',
      without(9),
      'At the end subscriber is at e.0:4 in news, and the newest message is e.0:5.'
    ],
    [
      'a client that resumes elsewhere',
      replaced(7, subscribed(4, 'resumed')),
      'subscriber in news: resumed at e.0:4, and not at e.0:3.'
    ],
    [
      'a new beginning for who came back',
      replaced(7, subscribed(3, 'new')),
      'subscriber in news: a new beginning for who came back.'
    ],
    ['a gap for nothing', replaced(8, gap(4)), 'subscriber in news: a gap, and the history goes back far enough.'],
    ['a message before the answer', without(7), 'subscriber in news: a message without a subscription.'],
    [
      'a message after the subscription has ended',
      replaced(8, unsubscribed, message(4)),
      'subscriber in news: a message without a subscription.'
    ],
    [
      'another epoch',
      replaced(7, subscribed(3, 'gap', 'f.0')),
      'subscriber in news: another epoch, and nothing was lost.'
    ],
    ['what must never happen', replaced(5, { kind: 'trouble', what: 'status 500' }, lost), 'subscriber: status 500.']
  ])('%s', (_what, change, fault) => {
    expect(faultsOf(change)).toContain(fault)
  })

  test('an acknowledged message that is not there', () => {
    const given = evidence((log) => log)
    const [publisher, ...others] = given.logs
    const clock = Math.max(...given.reader.entries.map(({ at }) => at))
    const entries = [
      ...(publisher?.entries ?? []),
      { kind: 'send', topic: 'news', id: 'lost', payload: 'lost', at: clock + 1 } as const,
      { kind: 'published', id: 'lost', offset: 6, at: clock + 2 } as const
    ]
    const logs = [{ name: 'publisher', entries }, ...others]
    expect(check({ ...given, logs }).map(({ what }) => what)).toEqual([
      'An acknowledged message is not in news at e.0:6.'
    ])
  })

  test('a message that is there twice', () => {
    const twice = [message(5, 'message 4')]
    expect(faultsOf((log) => log.toSpliced(9, 1, ...twice))).toContain('A message of news was published 2 times.')
  })
})

describe('allows', () => {
  test('a client that unsubscribes, and subscribes again from where it was', () => {
    const away: Change = (log) => log.toSpliced(4, 0, unsubscribed, ask('e.0:2'), subscribed(2, 'resumed'))
    expect(faultsOf(away)).toEqual([])
  })

  test('a gap that names exactly what is missing, if the history was too short', () => {
    const trimmed: Change = (log) => log.toSpliced(3, 2, gap(3))
    expect(faultsOf(trimmed, { mayTrim: true })).toEqual([])
  })

  test('another epoch, if the store has lost its messages', () => {
    const restarted: Change = (log) => [
      ask('-'),
      subscribed(7, 'new', 'd.0'),
      lost,
      ask('d.0:7'),
      subscribed(0, 'gap'),
      ...log.slice(2, 5),
      ...log.slice(8)
    ]
    expect(faultsOf(restarted, { mayEnd: true })).toEqual([])
  })
})

test('says which lines contradict each other', () => {
  expect(check(evidence(without(3)))[0]?.lines).toEqual([
    '#13 subscriber: message topic news, offset 1, payload "message 1"',
    '#14 subscriber: message topic news, offset 3, payload "message 3"'
  ])
})

describe('of who is subscribed', () => {
  const ids = (...ids: string[]): Parameters<typeof compareViews>[0] => [
    { name: 'watcher', id: 'watcher', topics: ['news'], view: { topic: 'news', ids } },
    { name: 'tab 1', id: 'tabs', topics: ['news'], view: undefined },
    { name: 'tab 2', id: 'tabs', topics: ['news', 'sports'], view: undefined },
    { name: 'other', id: 'other', topics: ['sports'], view: undefined }
  ]

  test.each([
    ['finds nothing wrong if everybody is seen', ['tabs', 'watcher'], []],
    ['finds somebody who is not seen', ['watcher'], ['watcher does not see tabs in news.']],
    ['finds somebody who is not there', ['tabs', 'watcher', 'other'], ['watcher sees other in news, who is not there.']]
  ])('%s', (_what, seen, faults) => {
    expect(compareViews(ids(...seen)).map(({ what }) => what)).toEqual(faults)
  })

  test('finds a client that was told nothing', () => {
    const [watcher] = ids()
    const clients = [{ ...watcher, view: { topic: 'news', ids: undefined } }] as Parameters<typeof compareViews>[0]
    expect(compareViews(clients).map(({ what }) => what)).toEqual(['watcher does not see watcher in news.'])
  })
})
