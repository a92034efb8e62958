import { byId, element, paintAvatar } from './element.mjs'

const log = byId('log')
const list = byId('messages')
const toEnd = byId('to-end')

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' })

/** Messages of one person within this time stand together under one name. */
const groupMs = 3 * 60_000

let shown = new Set()
let last
let lastDay = day.format(Date.now())

/** Empties the list, for another room. */
export function clearMessages() {
  shown = new Set()
  last = undefined
  lastDay = day.format(Date.now())
  list.replaceChildren()
  toEnd.hidden = true
  byId('empty').hidden = true
}

/** Shows what was said before; after a reconnect some of it is here already. */
export function showHistory(messages, me) {
  // Nobody wants fifty old messages read out.
  log.ariaBusy = 'true'
  for (const message of messages) showMessage(message, me)
  log.ariaBusy = 'false'
  byId('empty').hidden = list.childElementCount > 0
  scrollToEnd()
}

/** Shows a message at the end, once. */
export function showMessage(message, me) {
  if (shown.has(message.id)) return
  shown.add(message.id)
  showDay(message.at)
  const { nickname, text, at } = message
  const isMine = nickname === me
  const follows = last?.nickname === nickname && at - last.at < groupMs
  last = message
  const author = element('span', follows || isMine ? 'visually-hidden' : 'author', isMine ? 'You' : nickname)
  const clock = element('time', '', time.format(at))
  clock.dateTime = new Date(at).toISOString()
  clock.title = dateAndTime.format(at)
  const item = element('li', `message${isMine ? ' mine' : ''}${follows ? ' follows' : ''}`)
  if (!isMine) {
    const avatar = element('span', 'avatar')
    avatar.ariaHidden = 'true'
    item.append(follows ? avatar : paintAvatar(avatar, nickname))
  }
  const bubble = element('div', 'bubble', author, element('span', 'text', text), clock)
  // The bubble has the direction of the text alone: a part with a direction of its own does not count.
  for (const part of [author, clock, bubble]) part.dir = 'auto'
  item.append(bubble)
  append(item, isMine)
}

/** Shows a line of the room itself, such as who came. */
export function showNotice(...parts) {
  last = undefined
  append(element('li', 'notice', ...parts), false)
}

function showDay(at) {
  const name = day.format(at)
  if (name === lastDay) return
  lastDay = name
  append(element('li', 'notice day', name), false)
  last = undefined
}

function append(item, follow) {
  const atEnd = isAtEnd()
  list.append(item)
  byId('empty').hidden = true
  if (follow || atEnd) scrollToEnd()
  else toEnd.hidden = false
}

const isAtEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80

function scrollToEnd() {
  log.scrollTop = log.scrollHeight
  toEnd.hidden = true
}

toEnd.addEventListener('click', () => {
  scrollToEnd()
  log.focus()
})
log.addEventListener('scroll', () => {
  if (isAtEnd()) toEnd.hidden = true
})
// A keyboard on the screen, or a longer message box, makes the log smaller.
let wasAtEnd = true
log.addEventListener('scroll', () => {
  wasAtEnd = isAtEnd()
})
new ResizeObserver(() => wasAtEnd && scrollToEnd()).observe(log)
