const byId = (id) => document.getElementById(id)
const say = (text) => {
  byId('state').textContent = text
}

let socket
let expiresAt

async function getToken() {
  const answer = await fetch('/token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: byId('name').value.trim() || 'Ada' })
  })
  const { token } = await answer.json()
  return token
}

function connect(token) {
  socket?.close(1000)
  const current = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/greeting`, [
    'greeting.v1',
    `bearer.${token}`
  ])
  socket = current
  current.onmessage = ({ data }) => {
    const greeting = JSON.parse(data)
    expiresAt = greeting.expiresAt
    say(`Hello, ${greeting.name}. Your token ends at ${new Date(expiresAt).toLocaleTimeString()}.`)
  }
  current.onclose = async ({ code, reason }) => {
    if (socket !== current) return
    expiresAt = undefined
    if (code !== 1006) return say(`The server closed the connection with ${code}: ${reason || 'the token has ended'}.`)
    // Over HTTP, the same URL says what a refused handshake does not.
    const { status } = await fetch('/greeting', { headers: { Authorization: `Bearer ${token}` } })
    say(status === 401 ? 'Refused with 401: this token is not good.' : 'The connection was lost.')
  }
}

byId('connect').addEventListener('submit', async (event) => {
  event.preventDefault()
  connect(await getToken())
})
byId('renew').addEventListener('click', async () => {
  const token = await getToken()
  if (socket?.readyState === WebSocket.OPEN) socket.send(token)
})
byId('bad').addEventListener('click', () => connect('not.a.token'))

setInterval(() => {
  const seconds = Math.max(0, Math.ceil((expiresAt - Date.now()) / 1_000))
  byId('left').textContent = expiresAt === undefined ? '' : `${seconds} s are left.`
}, 200)
