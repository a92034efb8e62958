import {
  type Attachment,
  acceptWebSocket,
  checkHandshake,
  isWebSocketRequest,
  type WebSocket,
  type WsUpgrade,
  wsUpgrade
} from '@oneport/express'
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express'
// @ts-expect-error there are no types of `ws` here
import type * as ws from 'ws'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
const holds = <_Claim extends true>(): void => {}

declare global {
  namespace Express {
    interface Request {
      user?: { name: string }
    }
  }
}

/** Applications have many functions like this one, which take a request of their own version of Express. */
const nameOf = (req: Request): string => req.user?.name ?? req.get('X-Name') ?? 'nobody'

const app = express()
const websockets: WsUpgrade = wsUpgrade({ maxConnections: 100, onError: () => {} })
const attachment: Attachment = websockets
holds<Same<typeof websockets.connections, ReadonlySet<WebSocket>>>()
holds<Same<typeof websockets.connections, typeof attachment.connections>>()
const { open } = websockets.stats()
const handlers: RequestHandler[] = [websockets, wsUpgrade()]
app.use(wsUpgrade(), express.json())
app.use('/v1', wsUpgrade())
app.use(handlers)
app.use([wsUpgrade()])
// @ts-expect-error no option has this name
wsUpgrade({ path: '/echo' })
// @ts-expect-error a handler is a function
wsUpgrade({}, 'echo')

app.get('/chat/:room', (req, res) =>
  acceptWebSocket(req, res, (socket, request) => {
    holds<Same<typeof socket, WebSocket>>()
    holds<Same<typeof request, typeof req>>()
    holds<Same<typeof request.params.room, string>>()
    socket.send(request.user?.name ?? '')
    // @ts-expect-error the path has no such parameter
    request.params.rom
  })
)
app.get('/both', (req, res) => {
  if (isWebSocketRequest(req)) return acceptWebSocket(req, res, (socket) => socket.send('hello'))
  return res.send(String(open))
})
app.get('/checked', (req: Request, res: Response, next: NextFunction) => {
  checkHandshake(req)
  // @ts-expect-error the handler is missing
  void acceptWebSocket(req, res)
  acceptWebSocket(req, res, { subprotocols: ['a'] }, (socket, request) => socket.send(nameOf(request))).catch(next)
})

app.use(
  '/echo',
  wsUpgrade((socket, req) => {
    holds<Same<typeof req, Request>>()
    socket.send(nameOf(req))
  })
)
app.use(
  '/echo',
  wsUpgrade({ maxPayloadBytes: 10 }, (socket, req) => {
    holds<Same<typeof req, Request>>()
    socket.send(nameOf(req))
  })
)
const withRequest = wsUpgrade((socket, req: Request) => socket.send(nameOf(req)))
const withParameters = wsUpgrade({}, (socket, { params }: Request<{ room: string }>) => socket.send(params.room))
app.use('/echo/:room', withRequest, withParameters)
// @ts-expect-error what a handler takes is a request
wsUpgrade((_socket, _req: string) => {})

const router = express.Router()
router.use(wsUpgrade())
router.get('/:id', (req, res) =>
  acceptWebSocket(req, res, (_socket, { params }) => holds<Same<typeof params, { id: string }>>())
)
const inner = express()
inner.use(wsUpgrade())
app.use('/inner', inner, router)
export type Absent = ws.WebSocket
app.listen(3000)
process.once('SIGTERM', () => void websockets.drain({ code: 1012 }))
