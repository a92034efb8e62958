import expressWs, { type Instance, type Router, type WebsocketRequestHandler } from '@oneport/express/express-ws'
import express, { type NextFunction, type Request } from 'express'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
const holds = <_Claim extends true>(): void => {}

const { app, getWss, applyTo }: Instance = expressWs(express(), null, { wsOptions: { maxPayload: 10 } })
app.ws('/chat', (ws, req, next) => {
  holds<Same<typeof req, Request>>()
  holds<Same<typeof next, NextFunction>>()
  ws.send(req.originalUrl)
})
app.get('/', (_req, res) => void res.send('page'))
const handler: WebsocketRequestHandler = (ws, req: Request) => ws.send(req.ip ?? '')
const router: Router = express.Router()
express.Router().ws('/a', handler)
applyTo(router)
app.use('/b', router)
getWss().on('connection', (ws, req: Request) => ws.send(req.originalUrl))
// @ts-expect-error a path is a string
app.ws(/chat/, handler)
