import type { Notice } from '../src/presence/notice.ts'
import { Place } from '../src/presence/place.ts'
import { Room } from '../src/presence/room.ts'
import type { Session } from '../src/serve/session.ts'

const member = (id: string, info?: unknown) => ({ id, json: JSON.stringify({ id, info }) })
const sessionOf = (id: string, info?: unknown) => ({ shown: member(id, info) }) as Session

const joined = (from: number, version: number, id: string): Notice => ({
  kind: 'joined',
  from,
  version,
  member: member(id)
})
const left = (from: number, version: number, id: string): Notice => ({
  kind: 'left',
  from,
  version,
  member: member(id)
})
const here = (version: number): Notice => ({ kind: 'here', version })
const all = (version: number, part: number, isLast: boolean, ...ids: string[]): Notice => ({
  kind: 'all',
  version,
  part,
  isLast,
  members: ids.map((id) => member(id))
})

const idsOf = (place: Place): string[] => place.members.map((json) => (JSON.parse(json) as { id: string }).id)

/** A place that is watched, and the room that it takes. */
function watched(most = 100): { place: Place; room: Room } {
  const room = new Room(most)
  const place = new Place(room)
  place.watchers.add({} as Session)
  return { place, room }
}

describe('what other nodes tell', () => {
  test('in order needs no question, except that a node which was not known is told that somebody watches', () => {
    const { place } = watched()
    expect(place.hear('n', joined(0, 4, 'ada'))).toBe(4)
    expect(place.hear('n', joined(4, 6, 'bob'))).toBeUndefined()
    expect(place.hear('n', left(6, 9, 'ada'))).toBeUndefined()
    expect(place.hear('n', here(9))).toBeUndefined()
    expect(idsOf(place)).toEqual(['bob'])
  })

  test.each<[string, Notice[], string[]]>([
    ['a change behind another one', [joined(5, 6, 'bob')], ['ada', 'bob']],
    ['somebody who has left behind another change', [left(5, 6, 'ada')], []],
    ['another version', [here(7)], ['ada']],
    ['a later part', [all(8, 1, true, 'bob')], ['ada']],
    ['a part behind another one', [all(8, 0, false, 'bob'), all(8, 2, true, 'cem')], ['ada', 'bob']],
    ['a part of another version', [all(8, 0, false, 'bob'), all(9, 1, true, 'cem')], ['ada', 'bob']]
  ])('with a hole needs one: %s', (_what, notices, ids) => {
    const { place } = watched()
    place.hear('n', joined(0, 4, 'ada'))
    const questions = notices.map((notice) => place.hear('n', notice))
    expect(questions.at(-1)).toEqual(expect.any(Number))
    expect(idsOf(place)).toEqual(ids)
    expect(place.hear('n', all(20, 0, true, 'eve'))).toBeUndefined()
    expect(place.hear('n', here(20))).toBeUndefined()
    expect(idsOf(place)).toEqual(['eve'])
  })

  test('is of no use if it is older than what is known', () => {
    const { place } = watched()
    place.hear('n', all(9, 0, true, 'ada'))
    expect(place.hear('n', joined(6, 7, 'bob'))).toBeUndefined()
    expect(place.hear('n', left(7, 8, 'ada'))).toBeUndefined()
    expect(place.hear('n', all(8, 0, true, 'cem'))).toBeUndefined()
    expect(idsOf(place)).toEqual(['ada'])
  })

  test('of a node that is not known needs a question, unless there is no room for it', () => {
    const { place, room } = watched(1)
    for (const notice of [here(3), left(3, 4, 'ada'), all(4, 1, true, 'ada')]) expect(place.hear('n', notice)).toBe(0)
    expect([room.taken, place.hasPeers]).toEqual([0, false])
    room.take()
    for (const notice of [here(3), joined(0, 4, 'ada'), all(4, 0, true, 'ada')]) {
      expect(place.hear('n', notice)).toBeUndefined()
    }
    expect([room.taken, place.hasPeers]).toEqual([1, false])
  })

  test('takes room, and gives it back', () => {
    const { place, room } = watched()
    place.hear('n', all(1, 0, true, 'ada', 'bob', 'ada'))
    place.hear('m', all(1, 0, true, 'ada'))
    expect(room.taken).toBe(5)
    place.hear('n', left(1, 2, 'bob'))
    place.hear('n', left(2, 3, 'nobody'))
    expect(room.taken).toBe(4)
    place.hear('n', here(0))
    place.hear('x', here(0))
    expect([room.taken, idsOf(place)]).toEqual([2, ['ada']])
    place.forgetPeers()
    expect([room.taken, place.hasPeers, idsOf(place)]).toEqual([0, false, []])
  })
})

test('a member with sessions here is told to others as it is here', () => {
  const { place } = watched()
  place.hear('n', { kind: 'all', version: 1, part: 0, isLast: true, members: [member('ada', 'there')] })
  place.takeChanges()
  place.join(sessionOf('ada', 'here'), member('ada', 'here'))
  expect(place.takeChanges()).toEqual([])
  expect([...place.ownMembers()]).toEqual(['{"id":"ada","info":"here"}'])
  expect(place.own).toBe(1)
})

test('what has changed and changed back is not told', () => {
  const { place } = watched()
  place.hear('n', joined(0, 1, 'ada'))
  place.hear('n', left(1, 0, 'ada'))
  expect(place.takeChanges()).toEqual([])
  place.hear('n', joined(0, 2, 'ada'))
  expect(place.takeChanges()).toEqual([['ada', '{"id":"ada"}']])
  place.hear('n', here(0))
  place.hear('m', joined(0, 2, 'bob'))
  expect(place.takeChanges()).toEqual([
    ['ada', undefined],
    ['bob', '{"id":"bob"}']
  ])
})

test('a node that is not heard any more is dropped when it is asked for the fourth time', () => {
  const { place } = watched()
  for (const node of ['n', 'm']) place.hear(node, all(1, 0, true, node))
  for (let count = 0; count < 3; count++) {
    place.dropSilent()
    place.hear('m', here(1))
    expect(idsOf(place)).toEqual(['n', 'm'])
  }
  place.dropSilent()
  expect(idsOf(place)).toEqual(['m'])
})
