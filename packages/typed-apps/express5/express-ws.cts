import expressWs = require('@oneport/express/express-ws')
import express = require('express')

const { app, applyTo }: expressWs.Instance = expressWs(express())
const handler: expressWs.WebsocketRequestHandler = (ws, req) => ws.send(req.ip ?? '')
app.ws('/chat', handler)
const router = express.Router()
router.ws('/a', handler)
applyTo(router)
