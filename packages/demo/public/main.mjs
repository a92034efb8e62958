import { Absence } from './absence.mjs'
import { connectTopics } from './client.mjs'
import { announce, byId, paintAvatar, randomName } from './element.mjs'
import { showHandshake } from './handshake.mjs'
import { logIn, whoAmI } from './login.mjs'
import {
  clearMessages,
  endMissed,
  removeWaiting,
  showMessage,
  showMissed,
  showMissing,
  showReady,
  showVisit,
  showWaiting
} from './messages.mjs'
import { network, tryNow } from './network.mjs'
import { Outbox } from './outbox.mjs'
import { roomsOf, showPeople, showRooms } from './people.mjs'
import { pathOf, roomAt, toRoomName } from './room.mjs'
import { showState } from './state.mjs'
import { Visits } from './visits.mjs'
import {
  resetNetwork,
  showCatchingUp,
  showConnection,
  showGap,
  showPosition,
  showProcess,
  showSent,
  showWaiting as showWaitingCount
} from './your-network.mjs'

const text = byId('text')
const maxTextLength = 600
/** The longest delay before the next attempt, in milliseconds: shorter than by default, since people are watching. */
const maxDelayMs = 10_000

let room = 'lobby'
let me = null
let unread = 0
let outbox
/** Leaves the room. */
let leave = () => {}

function showTitle() {
  // Isolated, so that a name written from right to left does not reorder the rest.
  document.title = `${unread > 0 ? `(${unread}) ` : ''}#\u2068${room}\u2069 · Oneport chat`
}

/** Enters the room that the address names. */
function enter() {
  leave()
  room = roomAt(location.pathname)
  byId('room-name').textContent = room
  byId('room-size').textContent = ''
  byId('me').hidden = false
  byId('my-name').textContent = me
  paintAvatar(byId('my-avatar'), me)
  clearMessages()
  showRooms(new Map(), room)
  showTitle()
  showState('connecting')
  resetNetwork()
  join()
}

/** Connects to the room. */
function join() {
  const page = randomName(4)
  const topic = `room/${room}`
  const { fetch, WebSocket: webSocket } = network
  const topics = connectTopics(`/chat/${encodeURIComponent(room)}?page=${page}`, { fetch, webSocket, maxDelayMs })
  const visits = new Visits(showVisit)
  const absence = new Absence(onCaughtUp)
  let isFirst = true
  outbox = new Outbox((message) => topics.publish(topic, message), onOutbox)
  /** How the page is connected, by the transport: there may be two on the way from one to the other. */
  const connections = new Map()
  /** Messages that were written while there was no connection. */
  const late = new Set()

  topics.subscribe(topic, (data, position) => hear(JSON.parse(data), position), {
    since: 'all',
    onSubscribed: () => absence.end(),
    onGap(gap) {
      showMissing(gap.missing)
      showGap(gap)
    }
  })
  topics.subscribe(`page/${page}`, (data) => showConnected(JSON.parse(data)), { since: 'all' })
  topics.presence('people', (members) => {
    const rooms = roomsOf(members)
    const here = rooms.get(room) ?? []
    showRooms(rooms, room)
    showPeople(here, me)
    visits.update(here, me)
  })
  topics.addEventListener('statechange', onState)
  leave = () => {
    topics.removeEventListener('statechange', onState)
    topics.close()
    visits.close()
    absence.close()
  }

  function hear(said, position) {
    const isMissed = absence.isCatchingUp && !isFirst && said.nickname !== me
    if (absence.isCatchingUp) absence.count(isMissed)
    if (isMissed) {
      showMissed(absence.missed)
      showCatchingUp(absence.missed, false)
    }
    showMessage(said, me, isMissed)
    showPosition(position, isFirst ? 'kept' : isMissed ? 'missed' : 'live')
    outbox.settle(said)
    if (isFirst || !document.hidden) return
    unread++
    showTitle()
  }

  function onCaughtUp(missed) {
    if (isFirst) showReady()
    else {
      endMissed()
      showCatchingUp(missed, true)
      announce(missed === 0 ? 'Back online. You missed nothing.' : `Back online. You missed ${missed}.`)
    }
    isFirst = false
  }

  function onOutbox(what, said, code) {
    showWaitingCount(outbox.size)
    if (what === 'waiting') {
      const isOffline = topics.state !== 'open'
      if (isOffline) late.add(said.id)
      showWaiting(said, isOffline)
    } else if (what === 'returned') {
      late.delete(said.id)
      void giveBack(said, code)
    } else if (late.delete(said.id)) showSent()
  }

  /** Called when the server tells how the page is connected. */
  function showConnected(connected) {
    connections.set(connected.transport, connected)
    showCurrent()
  }

  function showCurrent() {
    const connected = connections.get(topics.transport)
    if (connected === undefined) return
    showHandshake(connected)
    showProcess(connected.process)
  }

  function onState() {
    showConnection(topics.state, topics.transport)
    showCurrent()
    if (topics.state === 'open') {
      showState('open')
      if (isFirst) announce(`Connected to the room ${room} as ${me}.`)
      // Over a WebSocket, the server says when the topic goes on.
      if (topics.transport !== 'websocket') absence.end()
    } else if (topics.state === 'connecting') {
      showState('lost')
      absence.begin()
    } else void ask(topics.error)
  }
}

/** A message that was not sent is not lost: it goes back into the box. */
async function giveBack(said, code) {
  removeWaiting(said)
  text.value = [text.value, said.text].filter(Boolean).join('\n')
  // Another window may have changed the name that is in the cookie.
  const nickname = code === 'forbidden' ? ((await whoAmI().catch(() => me)) ?? me) : me
  if (nickname !== me) {
    me = nickname
    enterAndWrite()
  }
  byId('say-problem').textContent = reasonFor(code, nickname !== said.nickname)
}

function reasonFor(code, hasOtherName) {
  if (hasOtherName) return `You are ${me} now. Send it again.`
  return code === 'forbidden'
    ? 'That was fast. Wait a moment, then send it again.'
    : 'That was not sent. Send it again.'
}

/** Called when there will be no connection. */
async function ask(error) {
  showState('idle')
  byId('say-problem').textContent = error?.code === 401 ? '' : `The chat is over: ${error?.message}`
  if (error?.code !== 401) return
  leave()
  me = await logIn(null)
  enterAndWrite()
}

/** Sends the text in the box: now, or once the page is back online. */
function say() {
  const trimmed = text.value.trim()
  const isTooLong = trimmed.length > maxTextLength
  byId('say-problem').textContent = isTooLong ? `A message has at most ${maxTextLength} characters.` : ''
  if (trimmed === '' || isTooLong) return
  text.value = ''
  void outbox.send({ id: randomName(), nickname: me, text: trimmed, at: Date.now() })
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

byId('retry').addEventListener('click', () => {
  tryNow()
  text.focus()
})

byId('say').addEventListener('submit', (event) => {
  event.preventDefault()
  say()
  text.focus()
})

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
  me = nickname
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

me = (await whoAmI()) ?? (await logIn(null))
enterAndWrite()
