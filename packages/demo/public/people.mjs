import { byId, element, paintAvatar } from './element.mjs'
import { pathOf } from './room.mjs'

/** Who is in which room: the members of each, by their nicknames. */
export function roomsOf(members) {
  const rooms = new Map()
  for (const { info } of members.values()) rooms.set(info.room, [...(rooms.get(info.room) ?? []), info])
  for (const people of rooms.values()) people.sort((a, b) => a.nickname.localeCompare(b.nickname))
  return rooms
}

/** Shows who is here, the reader's own name first. */
export function showPeople(members, me) {
  const people = members.map(({ nickname }) => nickname)
  const others = people.filter((nickname) => nickname !== me)
  byId('people').replaceChildren(
    ...(people.includes(me) ? [me] : []).concat(others).map((nickname) => person(nickname, me))
  )
  byId('room-size').textContent = people.length === 1 ? 'Only you are here' : `${people.length} people here`
}

function person(nickname, me) {
  const avatar = paintAvatar(element('span', 'avatar'), nickname)
  avatar.ariaHidden = 'true'
  const item = element('li', '', avatar, element('bdi', 'name', nickname))
  if (nickname === me) item.append(element('span', 'hint', 'you'))
  return item
}

/** Shows the open rooms as links, and always the lobby. */
export function showRooms(rooms, current) {
  const sizes = new Map([['lobby', 0], [current, 0], ...Array.from(rooms, ([name, { length }]) => [name, length])])
  byId('rooms').replaceChildren(...[...sizes].map(([name, people]) => roomLink(name, people, name === current)))
}

function roomLink(name, people, isCurrent) {
  const size = element('span', 'size', String(people))
  size.ariaLabel = people === 1 ? '1 person' : `${people} people`
  size.role = 'img'
  const link = element('a', '', element('span', 'name', element('bdi', '', name)), size)
  link.href = pathOf(name)
  if (isCurrent) link.ariaCurrent = 'page'
  return element('li', '', link)
}
