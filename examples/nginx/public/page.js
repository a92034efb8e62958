const byId = (id) => document.getElementById(id)
const say = (text) => {
  byId('state').textContent = text
}

const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/visitor`)
socket.onopen = () => say('Connected through nginx.')
socket.onclose = ({ code }) => say(`The connection has ended with code ${code}.`)
socket.onmessage = ({ data }) => {
  const { echo, address, scheme, host } = JSON.parse(data)
  if (echo === undefined) {
    byId('visitor').textContent = `The application says: you are ${address}, and you opened ${scheme}://${host}.`
    return
  }
  const item = document.createElement('li')
  item.textContent = echo
  byId('echoes').append(item)
}

byId('say').addEventListener('submit', (event) => {
  event.preventDefault()
  if (socket.readyState !== WebSocket.OPEN) return
  socket.send(byId('text').value)
  byId('text').value = ''
})
