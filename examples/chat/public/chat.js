import { connect } from './reconnecting.js'

const byId = (id) => document.getElementById(id)
const states = {
  connecting: 'Connecting…',
  open: 'Online',
  waiting: 'Offline. Trying again…',
  closed: 'The connection has ended. Reload the page.'
}

byId('name').value = localStorage.getItem('name') ?? ''
byId('room').value = decodeURIComponent(location.hash.slice(1)) || 'lobby'

byId('enter').addEventListener('submit', (event) => {
  event.preventDefault()
  const [name, room] = [byId('name').value.trim(), byId('room').value]
  localStorage.setItem('name', name)
  location.hash = encodeURIComponent(room)
  enter(name, room)
})

function enter(name, room) {
  byId('enter').hidden = true
  document.querySelector('main').hidden = false
  byId('title').textContent = `#${room}`
  document.title = `#${room}`

  const path = `/rooms/${encodeURIComponent(room)}?name=${encodeURIComponent(name)}`
  const connection = connect(path, {
    onMessage: (data) => show(JSON.parse(data), name),
    onState: (state) => {
      byId('state').textContent = states[state]
      byId('state').dataset.state = state
    }
  })

  byId('say').addEventListener('submit', (event) => {
    event.preventDefault()
    // What could not be sent stays where it is.
    if (connection.send(byId('text').value)) byId('text').value = ''
  })
  byId('text').focus()
}

function show(message, me) {
  if (message.type === 'people') byId('people').textContent = `Here: ${message.people.join(', ')}`
  else append(message, message.name === me)
}

function append({ name, text, at }, isMine) {
  const item = document.createElement('li')
  item.classList.toggle('mine', isMine)
  const author = document.createElement('b')
  author.textContent = name
  const time = document.createElement('time')
  time.textContent = new Date(at).toLocaleTimeString([], { timeStyle: 'short' })
  const said = document.createElement('p')
  said.textContent = text
  item.append(author, ' ', time, said)
  byId('messages').append(item)
  item.scrollIntoView({ block: 'end' })
}
