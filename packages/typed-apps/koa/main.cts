import { wsUpgrade } from '@oneport/koa'

import Koa = require('koa')

const app = new Koa()
app.use(wsUpgrade())
app.use((ctx) => ctx.acceptWebSocket((socket, own) => socket.send(own.path)))
app.listen(3000)
