import Router from '@koa/router'
import {
  type Attachment,
  HandshakeError,
  isWebSocketRequest,
  type WebSocket,
  type WebSocketHandler,
  type WsUpgrade,
  wsUpgrade
} from '@oneport/koa'
import Koa, { type Context, type DefaultContext, type Middleware, type ParameterizedContext } from 'koa'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
const holds = <_Claim extends true>(): void => {}

interface State {
  user: { name: string }
}

interface Properties extends DefaultContext {
  say(socket: WebSocket, text: string): void
}

const app = new Koa()
const websockets: WsUpgrade = wsUpgrade({ maxConnections: 100, onError: () => {} })
const attachment: Attachment = websockets
holds<Same<typeof websockets.connections, typeof attachment.connections>>()
app
  .use(websockets)
  .use(wsUpgrade())
  .use(async (_ctx, next) => next())
const all: Middleware[] = [websockets, wsUpgrade()]
for (const each of all) app.use(each)

app.use(async (ctx, next) => {
  if (!isWebSocketRequest(ctx.req)) return next()
  try {
    ctx.acceptWebSocket((socket, own) => {
      holds<Same<typeof socket, WebSocket>>()
      holds<Same<typeof own, typeof ctx>>()
      socket.send(own.path)
    })
  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error
    ctx.throw(error.status, error.message)
  }
})

/** Applications have functions like these, which take a context of their own. */
const greet: WebSocketHandler = (socket, ctx) => socket.send(ctx.path)
const greetUser: WebSocketHandler<ParameterizedContext<State>> = (socket, ctx) => socket.send(ctx.state.user.name)
const endpoint = (ctx: Context): void => ctx.acceptWebSocket({ maxPayloadBytes: 10, key: 'ada' }, greet)
app.use(endpoint)

const typed = new Koa<State, Properties>()
typed.use(wsUpgrade())
typed.use((ctx) => ctx.acceptWebSocket(greetUser))
typed.use((ctx) => {
  ctx.acceptWebSocket({ subprotocols: ['a'] }, (socket, { say, state }) => {
    holds<Same<typeof state, State>>()
    say(socket, state.user.name)
  })
})

const router = new Router<State, Properties>()
router.use(wsUpgrade())
router.get('/chat/:room', (ctx) => {
  ctx.acceptWebSocket((socket, { params, state }) => {
    holds<Same<typeof params, typeof ctx.params>>()
    socket.send(`${params.room} ${state.user.name}`)
  })
})
typed.use(router.routes()).use(router.allowedMethods())

const server = app.listen(3000)
websockets.attach(server)
process.once('SIGTERM', () => void websockets.drain({ code: 1012 }))
