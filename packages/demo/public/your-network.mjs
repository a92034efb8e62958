import { announce, byId, element } from './element.mjs'
import { network } from './network.mjs'

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** How many messages the tape shows, and how many lines the diary has. */
const [tapeLength, diaryLength] = [24, 7]

const names = { websocket: 'WebSocket', stream: 'Stream over HTTP', poll: 'Polls over HTTP' }
const sentences = {
  websocket: 'Connected over a WebSocket.',
  stream: 'Connected over a stream of plain HTTP.',
  poll: 'Connected over polls of plain HTTP.'
}
const modes = {
  normal: 'Normal network',
  blocked: 'WebSocket blocked',
  slow: 'Slow train: 0.8 s each way, and tunnels',
  airplane: 'Airplane mode'
}

let state = 'connecting'
let transport
let process
let waiting = 0
/** The last messages: their offsets, and how each arrived. */
let tape = []

/** Begins anew, for another connection. */
export function resetNetwork() {
  state = 'connecting'
  transport = process = undefined
  tape = []
  for (const name of ['position', 'missed']) showFact(name, '–')
  byId('diary').replaceChildren()
  showWaiting(0)
  showProcess()
  showTransport()
}

/** Shows whether there is a connection, and over what. */
export function showConnection(nextState, nextTransport) {
  if (nextState === 'open') note(`${names[nextTransport]} opened`)
  else if (state === 'open') note('Connection lost')
  state = nextState
  transport = nextTransport
  showTransport()
}

/**
 * Shows where the page is in its room.
 * @param kind how the message arrived: `kept` from the history, `live`, or `missed` and caught up
 */
export function showPosition({ epoch, offset }, kind) {
  showFact('position', element('span', 'hint', `${epoch.slice(0, 6)}… `), String(offset))
  tape.push({ offset, kind })
  showTape()
}

/** Shows how many messages were missed, while they arrive and when all are there. */
export function showCatchingUp(missed, isDone) {
  const messages = missed === 1 ? '1 message' : `${missed} messages`
  if (missed === 0) showFact('missed', 'nothing')
  else showFact('missed', isDone ? `${messages}, caught up` : `catching up: ${messages}`)
  if (isDone && missed > 0) note(`Caught up: ${messages}`)
}

/** Shows that messages are missing which nobody has any more. */
export function showGap({ missing, to }) {
  note(missing === undefined ? 'Gap: the server has lost its history' : `Gap: ${missing} are gone`)
  if (to !== undefined) tape.push({ offset: to.offset, kind: 'gap' })
  showTape()
}

/** Tells that a message was sent which had to wait for a connection. */
export function showSent() {
  note('Message sent that had waited')
}

/** Shows how many messages wait to be sent. */
export function showWaiting(count) {
  waiting = count
  const messages = count === 1 ? '1 message' : `${count} messages`
  showFact('waiting', count === 0 ? 'nothing' : messages)
  showTape()
}

/** Shows which process of the server the page is connected to. */
export function showProcess(pid) {
  if (process !== undefined && pid !== undefined && pid !== process) note(`Now at process ${pid}`)
  process = pid
  showFact('process', pid === undefined ? '–' : String(pid))
  byId('kill').disabled = pid === undefined
}

function showFact(name, ...parts) {
  byId(`fact-${name}`).replaceChildren(...parts)
}

function showTransport() {
  showFact('transport', state === 'open' ? names[transport] : 'none')
  byId('network-state').textContent = sentence()
}

function sentence() {
  if (network.mode === 'airplane') return 'No network. What you write waits.'
  if (network.isInTunnel) return 'In a tunnel: no network.'
  return state === 'open' ? sentences[transport] : 'Connecting…'
}

function showTape() {
  tape = tape.slice(-tapeLength)
  const waits = Array.from({ length: Math.min(waiting, tapeLength) }, () => ({ kind: 'waiting' }))
  const cells = [...tape, ...waits].slice(-tapeLength)
  byId('tape').replaceChildren(...cells.map(({ kind }) => element('span', `cell ${kind}`)))
  byId('tape-strip').style.setProperty('--cells', cells.length)
  const offsets = cells.map(({ offset }) => offset).filter((offset) => offset !== undefined)
  byId('tape-first').textContent = offsets.length > 1 ? offsets[0] : ''
  byId('tape-last').textContent = offsets.at(-1) ?? ''
}

/** Adds a line to the diary. */
function note(text) {
  const time = element('time', '', clock.format(Date.now()))
  byId('diary').append(element('li', '', time, ' ', text))
  while (byId('diary').childElementCount > diaryLength) byId('diary').firstElementChild.remove()
}

async function kill() {
  const pid = process
  try {
    const answer = await network.fetch(`/kill/${pid}`, { method: 'POST' })
    if (answer.ok) return note(`Process ${pid} killed`)
    tell(answer.status === 404 ? 'The server has one process only.' : `The demo answered ${answer.status}.`)
  } catch {
    tell('No answer: there may be no network.')
  }
}

function tell(text) {
  note(text)
  announce(text)
}

byId('kill').addEventListener('click', () => void kill())

byId('modes').addEventListener('change', ({ target }) => {
  note(modes[target.value])
  network.use(target.value)
})

let wasInTunnel = false
network.addEventListener('change', () => {
  if (network.isInTunnel !== wasInTunnel) note(network.isInTunnel ? 'Into a tunnel' : 'Out of the tunnel')
  wasInTunnel = network.isInTunnel
  showTransport()
})

// A browser may have kept the choice over a reload.
for (const input of byId('modes').querySelectorAll('input')) input.checked = input.value === network.mode
