import { announce, byId, element } from './element.mjs'
import { network } from './network.mjs'

/** The fields that make a request what it is, or that decide about it. The others are collapsed. */
const telling =
  /^(:protocol|:authority|upgrade|connection|origin|host|cookie|accept|content-type|sec-websocket-.*|retry-after|www-authenticate)$/i

/** Why the handshakes are refused. */
const faults = {
  origin: 'A page of another site could use your cookies. Its origin gives it away.',
  version: 'A version of the protocol from before the RFC.',
  login: 'The cookie with the nickname is missing.'
}

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)')

/** The exchanges so far, by the name of their button. */
const exchanges = new Map()
let selected = 'chat'

/** Shows how this connection began. */
export function showHandshake(connected) {
  exchanges.set('chat', connected)
  showStatus(buttonOf('chat'), connected.response)
  if (selected === 'chat') show('chat')
}

const buttonOf = (name) => byId('exchanges').querySelector(`[data-exchange="${name}"]`)

function showStatus(button, { line }) {
  const [, status] = /^HTTP\/[\d.]+ (\d{3})/.exec(line)
  const result = button.querySelector('.result')
  result.textContent = status
  result.dataset.status = status
}

/** Shows one of the exchanges. */
function show(name) {
  selected = name
  for (const button of byId('exchanges').querySelectorAll('button')) {
    button.ariaPressed = String(button.dataset.exchange === name)
  }
  const { request, response, transport } = exchanges.get(name)
  const heads = [head('Request', request), head('Response', response)]
  const notes = transport === 'websocket' ? notesOn(response) : []
  const parts = name === 'chat' ? [...heads, ...notes] : [note(faults[name]), ...heads]
  byId('handshake').replaceChildren(...parts)
}

function notesOn(response) {
  const [, subprotocol = 'none'] = response.fields.find(([name]) => /^sec-websocket-protocol$/i.test(name)) ?? []
  const agreed = note('Both sides speak the subprotocol ', element('code', '', subprotocol), '.')
  // The panel speaks of GET and 101 because that is what the server's router sees.
  const words = note('Over HTTP/2 the GET goes as ', element('code', '', 'CONNECT'), ', and the 101 as 200.')
  return response.line.startsWith('HTTP/2') ? [words, agreed] : [agreed]
}

const note = (...children) => element('p', 'lead note', ...children)

function head(title, { line, fields, body }) {
  const [, status] = /^HTTP\/[\d.]+ (\d{3})/.exec(line) ?? []
  const card = element('section', 'head', element('h4', '', title), element('p', 'line', line))
  if (status !== undefined) card.dataset.status = status
  const others = fields.filter(([name]) => !telling.test(name))
  card.append(fieldList(fields.filter(([name]) => telling.test(name))))
  if (others.length > 0) {
    const count = others.length === 1 ? '1 other field' : `${others.length} other fields`
    card.append(element('details', '', element('summary', '', count), fieldList(others)))
  }
  if (body) card.append(element('pre', 'body', ...breakable(body)))
  return card
}

/** JSON on one line has no spaces where it could wrap. */
const breakable = (body) => body.split(/(?<=,)/).flatMap((part) => [part, document.createElement('wbr')])

function fieldList(fields) {
  return element(
    'dl',
    'fields',
    ...fields.map(([name, value]) => element('div', '', element('dt', '', name), element('dd', '', value)))
  )
}

/** Has the server send itself a handshake that it refuses, and shows the answer. */
async function provoke(name) {
  const button = buttonOf(name)
  const title = button.querySelector('strong').textContent
  button.ariaBusy = 'true'
  try {
    const answer = await network.fetch(`/provoke/${name}`, { method: 'POST' })
    if (!answer.ok) throw new Error(`The demo answered ${answer.status}.`)
    const exchange = await answer.json()
    exchanges.set(name, exchange)
    showStatus(button, exchange.response)
    show(name)
    const behavior = reducedMotion.matches ? 'instant' : 'smooth'
    byId('handshake').lastElementChild.scrollIntoView({ block: 'nearest', behavior })
    announce(`${title}: ${exchange.response.line.slice('HTTP/1.1 '.length)}`)
  } catch {
    button.querySelector('.result').textContent = 'No answer'
    announce(`${title}: no answer; the server may be down.`)
  } finally {
    button.ariaBusy = 'false'
  }
}

byId('exchanges').addEventListener('click', ({ target }) => {
  const name = target.closest('button')?.dataset.exchange
  if (name === undefined) return
  if (name !== 'chat') void provoke(name)
  else if (exchanges.has(name)) show(name)
})
