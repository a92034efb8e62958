import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import { createTopics } from '@oneport/topics'
import express from 'express'
import session from 'express-session'
import { isPasswordRight } from './users.js'

const port = Number(process.env.PORT ?? 3000)
const isProduction = process.env.NODE_ENV === 'production'
const hour = 3_600_000

function readSecret() {
  const secret = process.env.SESSION_SECRET
  if (secret) return secret
  if (isProduction) throw new Error('Set SESSION_SECRET to a long random text.')
  console.log('SESSION_SECRET is not set: logins last as long as this process.')
  return randomBytes(32).toString('hex')
}

const board = createTopics()
const websockets = wsUpgrade({ maxPayloadBytes: 4_096, messageBudget: { messages: 20, perMs: 10_000 } })

const app = express()
app.use(websockets)
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))))
app.use(express.json())
app.use(
  session({
    name: 'session',
    secret: readSecret(),
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: isProduction, maxAge: 8 * hour }
  })
)

const requireUser = (req, res, next) => {
  if (req.session.user !== undefined) next()
  else res.status(401).json({ message: 'Log in first.' })
}

app.post('/login', async (req, res) => {
  const { name, password } = req.body ?? {}
  if (typeof name !== 'string' || typeof password !== 'string' || !(await isPasswordRight(name, password))) {
    return res.status(401).json({ message: 'Wrong name or password.' })
  }
  // A session of its own for each login: an id that somebody knew before is worth nothing.
  await promisify(req.session.regenerate).call(req.session)
  req.session.user = name
  res.json({ name })
})

app.post('/logout', requireUser, async (req, res) => {
  const id = req.sessionID
  await promisify(req.session.destroy).call(req.session)
  // The sockets of all tabs that have this session.
  const closed = websockets.revoke(id, 4401, 'logged out')
  res.json({ closed })
})

app.get('/me', requireUser, (req, res) => res.json({ name: req.session.user }))

app.get('/board', requireUser, (req, res) => {
  const name = req.session.user
  const credential = { key: req.sessionID, expiresAt: req.session.cookie.expires ?? undefined }
  return acceptWebSocket(req, res, credential, (socket) => {
    board.subscribe(socket, 'board')
    socket.on('message', (data) => board.publish('board', JSON.stringify({ name, text: String(data) })))
  })
})

app.listen(port, () => console.log(`Open http://localhost:${port}/ and log in as ada (lovelace) or grace (hopper).`))
