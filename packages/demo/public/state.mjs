import { announce, byId } from './element.mjs'

const state = byId('state')
const offline = byId('offline')
const countdown = byId('countdown')

const names = { idle: 'Not connected', connecting: 'Connecting…', online: 'Online', waiting: 'Offline' }

let timer
let isLost = false

/** Shows whether there is a connection, and when the next attempt is. */
export function showState({ state: name, until }) {
  clearInterval(timer)
  // What is written offline is sent later.
  document.querySelector('#say button').disabled = name === 'idle'
  state.dataset.state = name
  state.textContent = names[name]
  if (name === 'waiting') {
    byId('room-size').textContent = 'Not connected'
    showCountdown(until)
    timer = setInterval(showCountdown, 250, until)
  } else {
    countdown.textContent = 'Trying…'
  }
  // It stays during an attempt: a banner that comes and goes would make the page jump.
  if (name !== 'connecting') offline.hidden = name !== 'waiting'
  say(name, until)
}

function showCountdown(until) {
  countdown.textContent = `Next attempt in ${secondsTo(until)} s.`
}

const secondsTo = (until) => Math.max(0, Math.ceil((until - Date.now()) / 1_000))

/** Announces each loss once: a voice counting seconds would drown out everything else. */
function say(name, until) {
  if (name === 'waiting' && !isLost) announce(`Offline. Next attempt in ${secondsTo(until)} seconds.`)
  if (name !== 'connecting') isLost = name === 'waiting'
}
