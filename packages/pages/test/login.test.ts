import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import { connect, expectRefused } from '@oneport/testing'
import express from 'express'
import session from 'express-session'
import request from 'supertest'

declare module 'express-session' {
  interface SessionData {
    user: string
  }
}

const app = express().set('env', 'test')
app.use(wsUpgrade())
app.use(session({ secret: 'of the tests', resave: false, saveUninitialized: false }))
app.post('/login', (req, res) => {
  req.session.user = 'Ada'
  res.sendStatus(204)
})
app.get('/news', (req, res) => {
  if (req.session.user === undefined) res.status(401).send('Log in first.')
  else void acceptWebSocket(req, res, (socket) => socket.send(`Hello, ${req.session.user}.`))
})

test('sends the news to users who have logged in', async () => {
  const agent = request.agent(app)
  expect(await expectRefused(app, '/news', { agent })).toMatchObject({ status: 401, body: 'Log in first.' })

  await agent.post('/login').expect(204)
  const client = await connect(app, '/news', { agent })
  expect(await client.next()).toBe('Hello, Ada.')
})
