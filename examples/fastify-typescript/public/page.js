const byId = (id) => document.getElementById(id)

const poll = location.search.slice(1) || 'drinks'
const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/polls/${encodeURIComponent(poll)}/votes`)
socket.onopen = () => {
  byId('state').textContent = 'Online'
}
socket.onclose = () => {
  byId('state').textContent = 'The connection has ended. Reload the page.'
}
socket.onmessage = ({ data }) => {
  const { question, votes } = JSON.parse(data)
  byId('question').textContent = question
  for (const [choice, count] of Object.entries(votes)) buttonFor(choice).textContent = `${choice}: ${count}`
}

const buttons = new Map()

/** The button of a choice, made when it is first heard of. */
function buttonFor(choice) {
  if (buttons.has(choice)) return buttons.get(choice)
  const button = document.createElement('button')
  button.type = 'button'
  button.addEventListener('click', () => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'vote', choice }))
  })
  buttons.set(choice, button)
  byId('choices').append(button)
  return button
}
