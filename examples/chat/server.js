import { fileURLToPath } from 'node:url'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import { createTopics } from '@oneport/topics'
import express from 'express'

const port = Number(process.env.PORT ?? 3000)

/** Each room is a topic: what is published to it reaches every socket in it. */
const rooms = createTopics()
/** Who is behind a socket. */
const names = new Map()

const tell = (room, message) => rooms.publish(room, JSON.stringify(message))
const tellPeople = (room) => {
  const people = [...rooms.subscribers(room)].map((socket) => names.get(socket))
  tell(room, { type: 'people', people: people.sort() })
}

const app = express()
app.use(wsUpgrade({ maxPayloadBytes: 4_096, messageBudget: { messages: 20, perMs: 10_000 } }))
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))))

app.get('/rooms/:room', (req, res) => {
  const { room } = req.params
  const name = String(req.query.name ?? '').trim()
  if (!/^[\p{L}\p{N}_-]{1,32}$/u.test(room)) return res.status(400).send('A room has 1 to 32 letters and digits.')
  if (name === '' || name.length > 32) return res.status(400).send('A name has 1 to 32 characters.')

  return acceptWebSocket(req, res, (socket) => {
    names.set(socket, name)
    rooms.subscribe(socket, room)
    tellPeople(room)

    socket.on('message', (data) => {
      const text = String(data).trim()
      if (text !== '') tell(room, { type: 'said', name, text, at: Date.now() })
    })
    socket.on('close', () => {
      names.delete(socket)
      tellPeople(room)
    })
  })
})

app.listen(port, () => console.log(`Open http://localhost:${port}/ in two tabs.`))
