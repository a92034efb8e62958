import { acceptWebSocket, wsUpgrade } from '@oneport/express'

import express = require('express')

const nameOf = (req: express.Request): string => req.get('X-Name') ?? 'nobody'

const app = express()
app.use(wsUpgrade())
app.get('/chat/:room', (req, res) => acceptWebSocket(req, res, (socket, { params }) => socket.send(params.room)))
app.use(
  '/echo',
  wsUpgrade((socket, req) => socket.send(nameOf(req)))
)
