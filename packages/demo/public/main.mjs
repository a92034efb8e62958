import { Connection } from './connection.mjs'
import { announce, byId, element, paintAvatar } from './element.mjs'
import { showHandshake } from './handshake.mjs'
import { logIn, whoAmI } from './login.mjs'
import { clearMessages, showHistory, showMessage, showNotice } from './messages.mjs'
import { showPeople, showRooms } from './people.mjs'
import { pathOf, roomAt, toRoomName } from './room.mjs'
import { showState } from './state.mjs'

const connection = new Connection()
const text = byId('text')

let room = 'lobby'
let me = null
let people
let unread = 0
/** Whether the text in the box is to be sent once the page is back online. */
let isWaiting = false

/** What the server sends, by type. */
const receive = {
  welcome({ nickname, room: joined, people: present, history, handshake }) {
    byId('me').hidden = false
    byId('my-name').textContent = nickname
    paintAvatar(byId('my-avatar'), nickname)
    me = nickname
    people = present
    showPeople(people, me)
    showHistory(history, me)
    showHandshake(handshake)
    announce(`Connected to the room ${joined} as ${nickname}.`)
    if (isWaiting) say()
  },
  people({ people: present }) {
    for (const name of present) if (!people.includes(name)) showNotice(element('bdi', '', name), ' joined')
    for (const name of people) if (!present.includes(name)) showNotice(element('bdi', '', name), ' left')
    people = present
    showPeople(people, me)
  },
  rooms({ rooms }) {
    showRooms(rooms, room)
  },
  said(message) {
    showMessage(message, me)
    if (document.hidden) unread++
    showTitle()
  },
  refused({ reason, text: returned }) {
    byId('say-problem').textContent = reason
    if (text.value === '') text.value = returned
  }
}

function showTitle() {
  // Isolated, so that a name written from right to left does not reorder the rest.
  document.title = `${unread > 0 ? `(${unread}) ` : ''}#\u2068${room}\u2069 · Oneport chat`
}

/** Enters the room that the address names. */
function enter() {
  room = roomAt(location.pathname)
  byId('room-name').textContent = room
  byId('room-size').textContent = ''
  wait(false)
  clearMessages()
  showRooms([], room)
  showTitle()
  connection.open(`${location.origin.replace(/^http/, 'ws')}/chat/${encodeURIComponent(room)}`)
}

function goTo(name) {
  history.pushState(null, '', pathOf(name))
  for (const panel of document.querySelectorAll(':popover-open')) panel.hidePopover()
  enterAndWrite()
}

function enterAndWrite() {
  enter()
  // On a phone the focus would open the keyboard and cover the messages.
  if (matchMedia('(hover: hover)').matches) text.focus()
}

/** Sends the text in the box: now, or once the page is back online. */
function say() {
  byId('say-problem').textContent = ''
  if (text.value.trim() === '') return
  const isSent = connection.send({ type: 'say', text: text.value })
  if (isSent) text.value = ''
  wait(!isSent)
}

function wait(isNeeded) {
  isWaiting = isNeeded
  byId('say-later').textContent = isNeeded
    ? 'Offline. This will be sent when you are back online, unless you edit it.'
    : ''
}

connection.addEventListener('state', ({ detail }) => showState(detail))
connection.addEventListener('message', ({ detail }) => receive[detail.type]?.(detail))
connection.addEventListener('refused', async () => {
  // A page cannot see the status of a refusal. If the cookie is gone, that was the reason.
  const nickname = await whoAmI().catch(() => me)
  if (nickname !== null) return
  connection.close()
  showState({ state: 'idle' })
  await logIn(null)
  enterAndWrite()
})

byId('retry').addEventListener('click', () => {
  connection.retry()
  text.focus()
})

byId('say').addEventListener('submit', (event) => {
  event.preventDefault()
  say()
  text.focus()
})

text.addEventListener('input', () => wait(false))

text.addEventListener('keydown', (event) => {
  // While an input method is composing, Enter belongs to it.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  byId('say').requestSubmit()
})

byId('room-form').addEventListener('submit', (event) => {
  event.preventDefault()
  const name = toRoomName(byId('room').value)
  event.target.reset()
  if (name !== '') goTo(name)
})

byId('rooms').addEventListener('click', (event) => {
  const link = event.target.closest('a')
  // Other clicks open a new window or a menu.
  if (link === null || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  goTo(link.querySelector('.name').textContent)
})

byId('rename').addEventListener('click', async () => {
  const nickname = await logIn(me)
  if (nickname === me) return
  // The handshake carries the cookie, so a new name needs a new connection.
  enterAndWrite()
})

window.addEventListener('popstate', enter)
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return
  unread = 0
  showTitle()
})

// In a wide window the panels are part of the page instead of covering it.
for (const query of ['(min-width: 760px)', '(min-width: 1120px)']) {
  matchMedia(query).addEventListener('change', () => {
    for (const panel of document.querySelectorAll(':popover-open')) panel.hidePopover()
  })
}

if ((await whoAmI()) === null) await logIn(null)
enterAndWrite()
