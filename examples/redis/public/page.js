const byId = (id) => document.getElementById(id)

const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/chat`)
socket.onclose = () => {
  byId('state').textContent = 'The connection has ended. Reload the page.'
}
socket.onmessage = ({ data }) => {
  const { process, text } = JSON.parse(data)
  if (text === undefined) {
    byId('state').textContent = `Connected to process ${process}.`
    return
  }
  const item = document.createElement('li')
  const from = document.createElement('b')
  from.textContent = `Through process ${process}:`
  item.append(from, ` ${text}`)
  byId('messages').append(item)
}

byId('say').addEventListener('submit', (event) => {
  event.preventDefault()
  if (socket.readyState !== WebSocket.OPEN) return
  socket.send(byId('text').value)
  byId('text').value = ''
})
