import { announce, byId } from './element.mjs'

const state = byId('state')
const names = { idle: 'Not connected', connecting: 'Connecting…', open: 'Online', lost: 'Offline' }

/** Shows whether there is a connection. */
export function showState(name) {
  // What is written offline is sent later.
  document.querySelector('#say button').disabled = name === 'idle'
  if (name === 'lost') {
    byId('room-size').textContent = 'Not connected'
    if (state.dataset.state !== name) announce('Offline. What you write is sent later.')
  }
  byId('offline').hidden = name !== 'lost'
  state.dataset.state = name
  state.textContent = names[name]
}
