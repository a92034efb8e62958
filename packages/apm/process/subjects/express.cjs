const { createServer } = require('node:http')
const { acceptWebSocket, wsUpgrade } = require('@oneport/express')
const express = require('express')
const { echo, listen } = require('../echo.cjs')

exports.start = () => {
  const app = express()
  app.use(wsUpgrade())
  app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
  app.get('/refused', (_req, res) => res.status(429).send('plain'))
  app.get('/plain', (_req, res) => res.send('plain'))
  return listen(createServer(app))
}
