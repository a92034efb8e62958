import { announce, byId, element } from './element.mjs'

/** The fields that make a request a handshake, or that decide about it; the others are folded away. */
const telling =
  /^(:protocol|:authority|upgrade|connection|origin|host|cookie|sec-websocket-.*|retry-after|www-authenticate)$/i

/** Shows how this connection began. */
export function showHandshake({ request, response }) {
  const [, subprotocol = 'none'] = response.fields.find(([name]) => /^sec-websocket-protocol$/i.test(name)) ?? []
  const agreed = note('Both sides speak the subprotocol ', element('code', '', subprotocol), '.')
  // What the panel says of GET and 101 is what the server's router sees.
  const words = note('Over HTTP/2 the GET goes as ', element('code', '', 'CONNECT'), ', and the 101 as 200.')
  const notes = response.line.startsWith('HTTP/2') ? [words, agreed] : [agreed]
  byId('handshake').replaceChildren(...exchange(request, response), ...notes)
}

const note = (...children) => element('p', 'lead note', ...children)

function exchange(request, response) {
  return [head('Request', request), head('Response', response)]
}

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

/** JSON on one line has no spaces to break at. */
const breakable = (body) => body.split(/(?<=,)/).flatMap((part) => [part, document.createElement('wbr')])

function fieldList(fields) {
  return element(
    'dl',
    'fields',
    ...fields.map(([name, value]) => element('div', '', element('dt', '', name), element('dd', '', value)))
  )
}

async function provoke(button) {
  const result = button.querySelector('.result')
  const title = button.querySelector('strong').textContent
  button.ariaBusy = 'true'
  try {
    const answer = await fetch(`/provoke/${button.dataset.fault}`, { method: 'POST' })
    if (!answer.ok) throw new Error(`The demo answered ${answer.status}.`)
    const { request, response } = await answer.json()
    const [, status, reason] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(response.line)
    result.textContent = status
    result.classList.add('came')
    byId('refusal').replaceChildren(...exchange(request, response))
    announce(`${title}: ${status} ${reason}`)
  } catch {
    result.textContent = 'No answer'
    announce(`${title}: no answer; the server may be down.`)
  } finally {
    button.ariaBusy = 'false'
    for (const other of byId('refusals').querySelectorAll('button')) other.classList.toggle('shown', other === button)
  }
}

byId('refusals').addEventListener('click', ({ target }) => {
  const button = target.closest('button')
  if (button !== null) void provoke(button)
})
