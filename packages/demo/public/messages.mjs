import { byId, element, paintAvatar } from './element.mjs'

const log = byId('log')
const list = byId('messages')
const toEnd = byId('to-end')

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' })

/** Messages that one person sends within this time are grouped under one name. */
const groupMs = 3 * 60_000

let shown = new Set()
let last
let lastDay = day.format(Date.now())

/** Clears the list, for another room. */
export function clearMessages() {
  shown = new Set()
  last = undefined
  lastDay = day.format(Date.now())
  list.replaceChildren()
  toEnd.hidden = true
  byId('empty').hidden = true
}

/** Shows earlier messages. After a reconnect some of them are there already. */
export function showHistory(messages, me) {
  // Nobody wants fifty old messages read out.
  log.ariaBusy = 'true'
  for (const message of messages) showMessage(message, me)
  log.ariaBusy = 'false'
  byId('empty').hidden = list.childElementCount > 0
  scrollToEnd()
}

/** Appends a message, unless it is there already. */
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
  // The bubble takes its direction from the text, because parts with their own `dir` do not count.
  for (const part of [author, clock, bubble]) part.dir = 'auto'
  item.append(bubble)
  append(item, isMine)
}

/** Appends a line about the room, such as who joined. */
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
// An on-screen keyboard or a taller message box makes the log smaller.
let wasAtEnd = true
log.addEventListener('scroll', () => {
  wasAtEnd = isAtEnd()
})
new ResizeObserver(() => wasAtEnd && scrollToEnd()).observe(log)
