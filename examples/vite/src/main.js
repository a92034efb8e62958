import './style.css'

const button = document.getElementById('count')
const state = document.getElementById('state')

// One port, so the page's own host is the server's, in development and in production.
const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/count`)
socket.onopen = () => {
  state.textContent = 'Online'
}
socket.onmessage = ({ data }) => {
  button.textContent = `Clicked ${data} times`
}
socket.onclose = () => {
  state.textContent = 'The connection has ended. Reload the page.'
}

button.addEventListener('click', () => {
  if (socket.readyState === WebSocket.OPEN) socket.send('click')
})
