const byId = (id) => document.getElementById(id)
const say = (text) => {
  byId('state').textContent = text
}
const post = (path, body) =>
  fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body)
  })

let socket

function connect() {
  socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/board`)
  socket.onmessage = ({ data }) => show(JSON.parse(data))
  // A page learns no status: a refusal is 1006, like a lost connection. The server tells more over HTTP.
  socket.onclose = async ({ code, reason }) => {
    const isLoggedIn = await showWhoIsHere()
    if (code === 4401) say(`The server closed the connection: ${reason}.`)
    else say(isLoggedIn ? 'The connection was lost. Reload the page.' : 'Refused: log in first.')
  }
}

async function showWhoIsHere() {
  const answer = await fetch('/me')
  byId('login').hidden = answer.ok
  byId('try').hidden = answer.ok
  byId('members').hidden = !answer.ok
  if (!answer.ok) return false
  const { name } = await answer.json()
  say(`You are ${name}.`)
  return true
}

function show({ name, text }) {
  const item = document.createElement('li')
  const author = document.createElement('b')
  author.textContent = name
  item.append(author, ` ${text}`)
  byId('board').prepend(item)
}

byId('login').addEventListener('submit', async (event) => {
  event.preventDefault()
  const answer = await post('/login', { name: byId('name').value, password: byId('password').value })
  byId('password').value = ''
  if (!answer.ok) return say((await answer.json()).message)
  await showWhoIsHere()
  connect()
})

byId('logout').addEventListener('click', () => post('/logout', {}))
byId('try').addEventListener('click', connect)
byId('write').addEventListener('submit', (event) => {
  event.preventDefault()
  if (socket?.readyState !== WebSocket.OPEN) return
  socket.send(byId('text').value)
  byId('text').value = ''
})

if (await showWhoIsHere()) connect()
else say('You are not logged in.')
