/**
 * `@oneport/express` is installed in the folder above, next to the types of Express 5; this application has those of
 * Express 4.
 */
import { acceptWebSocket, checkHandshake, wsUpgrade } from '@oneport/express'
import express, { type Request, type RequestHandler } from 'express'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
const holds = <_Claim extends true>(): void => {}

const nameOf = (req: Request): string => req.get('X-Name') ?? 'nobody'

const app = express()
const handlers: RequestHandler[] = [wsUpgrade()]
app.use(wsUpgrade(), ...handlers)
app.get('/chat/:room', (req, res) => {
  checkHandshake(req)
  return acceptWebSocket(req, res, (socket, request) => {
    holds<Same<typeof request, typeof req>>()
    socket.send(request.params.room)
  })
})
app.use(
  '/echo',
  wsUpgrade((socket, req: Request) => socket.send(nameOf(req))),
  wsUpgrade({}, (socket, req: Request) => socket.send(nameOf(req)))
)
app.use(
  '/echo',
  wsUpgrade((socket, req) => {
    socket.send(req.originalUrl)
    // @ts-expect-error without a type of its own, it is a request of the Express in the folder above
    nameOf(req)
  })
)
