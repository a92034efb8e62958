import { acceptWebSocket, HandshakeError, wsUpgrade } from '@oneport/express'
import express from 'express'
import responseTime from 'response-time'

const users = new Map([['Bearer secret-of-ada', 'ada']])
const app = express()
const websockets = wsUpgrade()
app.use(websockets)
app.use(responseTime())
app.use((_req, res, next) => {
  res.cookie('visited', 'yes', { httpOnly: true, sameSite: 'lax' })
  next()
})
app.use((req, res, next) => {
  res.locals.user = users.get(req.get('Authorization') ?? '')
  if (res.locals.user) next()
  else res.status(401).set('WWW-Authenticate', 'Bearer').json({ message: 'A token is needed.' })
})
app.get('/chat/:room', (req, res) => {
  const { room } = req.params
  if (room === 'cellar') return res.status(404).json({ message: 'There is no room cellar.' })
  return acceptWebSocket(req, res, (socket) => {
    socket.send(`Welcome to ${room}, ${res.locals.user}.`)
    socket.on('message', (data) => socket.send(String(data)))
  })
})
app.use((error, _req, res, next) => {
  if (!(error instanceof HandshakeError)) return next(error)
  return res.status(error.status).set(error.headers).json({ code: error.code, message: error.message })
})
const server = app.listen(process.env.PORT)
process.once('SIGTERM', () => {
  server.close()
  websockets.drain({ code: 1012 })
})
