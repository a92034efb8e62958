import { byId, element, paintAvatar } from './element.mjs'

const log = byId('log')
const list = byId('messages')
const waiting = byId('waiting')
const toEnd = byId('to-end')

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' })

/** Messages that one person sends within this time are grouped under one name. */
const groupMs = 3 * 60_000

/** After how many milliseconds without an acknowledgement a message is shown as waiting. */
const patienceMs = 400

let shown = new Set()
let last
let lastDay = day.format(Date.now())
/** The line above the messages that were missed, while they arrive. */
let missedLine

/** Clears the list, for another room. */
export function clearMessages() {
  shown = new Set()
  last = missedLine = undefined
  lastDay = day.format(Date.now())
  list.replaceChildren()
  waiting.replaceChildren()
  toEnd.hidden = true
  byId('empty').hidden = true
  // Nobody wants fifty old messages read out.
  log.ariaBusy = 'true'
}

/** Called when all earlier messages are there. */
export function showReady() {
  log.ariaBusy = 'false'
  byId('empty').hidden = list.childElementCount + waiting.childElementCount > 0
}

/**
 * Appends a message, unless it is there already. It takes the place of the one that waits.
 * @param isMissed whether it was said while the page was away
 */
export function showMessage(said, me, isMissed = false) {
  if (shown.has(said.id)) return
  shown.add(said.id)
  const hasWaited = removeWaiting(said)
  showDay(said.at)
  const isMine = said.nickname === me
  const follows = last?.nickname === said.nickname && said.at - last.at < groupMs
  last = said
  const item = bubble(said, isMine, follows)
  if (isMissed) item.classList.add('missed')
  if (hasWaited) item.classList.add('moved')
  append(item, isMine || log.ariaBusy === 'true')
}

/**
 * Shows an own message that was not acknowledged yet, below all others.
 * @param isOffline whether it has to wait; otherwise that is shown only if the acknowledgement takes long
 */
export function showWaiting(said, isOffline) {
  const item = bubble(said, true, false)
  item.dataset.id = said.id
  item.querySelector('time').after(element('span', 'status', 'Waiting'))
  setTimeout(() => item.classList.add('waiting'), isOffline ? 0 : patienceMs)
  waiting.append(item)
  byId('empty').hidden = true
  scrollToEnd()
}

/** Removes a message from those that wait, if it is there. */
export function removeWaiting({ id }) {
  const item = [...waiting.children].find(({ dataset }) => dataset.id === id)
  item?.remove()
  return item !== undefined
}

/** Says above the first message that was missed how many there are. */
export function showMissed(count) {
  if (missedLine === undefined) {
    missedLine = element('li', 'notice missed-line')
    last = undefined
    append(missedLine, false)
  }
  missedLine.textContent = count === 1 ? '1 message that you missed' : `${count} messages that you missed`
}

/** Says that messages are missing. */
export function showMissing(count) {
  last = missedLine = undefined
  const messages = count === undefined ? 'Messages are' : count === 1 ? '1 message is' : `${count} messages are`
  append(element('li', 'notice', `${messages} missing here`), false)
}

/** Called when all that was missed is there. */
export function endMissed() {
  missedLine = undefined
}

function bubble({ nickname, text, at }, isMine, follows) {
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
  const body = element('div', 'bubble', author, element('span', 'text', text), clock)
  // The bubble takes its direction from the text, because parts with their own `dir` do not count.
  for (const part of [author, clock, body]) part.dir = 'auto'
  item.append(body)
  return item
}

/** Appends a line about who has joined or left. */
export function showVisit(nickname, hasJoined) {
  last = undefined
  append(element('li', 'notice', element('bdi', '', nickname), hasJoined ? ' joined' : ' left'), false)
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
