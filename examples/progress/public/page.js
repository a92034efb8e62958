const byId = (id) => document.getElementById(id)
const say = (text) => {
  byId('state').textContent = text
}

function follow(id) {
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/jobs/${id}/progress`)
  socket.onmessage = ({ data }) => show(JSON.parse(data))
  socket.onclose = ({ code }) => {
    // 1000: the job is over, and the last message said how.
    if (code !== 1000) say('The connection was lost, or the job is gone. Reload the page to look again.')
  }
}

function show({ state, percent, result, message }) {
  if (state === 'failed') return say(`Failed: ${message}`)
  byId('bar').value = percent
  say(state === 'done' ? `Done: ${result} primes.` : `${percent} %`)
}

byId('start').addEventListener('submit', async (event) => {
  event.preventDefault()
  const answer = await fetch('/jobs', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ below: byId('below').valueAsNumber })
  })
  const { id, message } = await answer.json()
  if (id === undefined) return say(message)
  // So that a reload follows the same job.
  location.hash = id
  follow(id)
})

if (location.hash !== '') follow(location.hash.slice(1))
