import https from 'node:https'
import express from 'express'
import { expressWs } from '../../src/express-ws/express-ws.ts'
import { acceptWebSocket, type WebSocket, wsUpgrade } from '../../src/index.ts'
import { say, useServers } from '../servers.ts'

const { serve, connect } = useServers()

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
const holds = <_Claim extends true>(): void => {}

/** Never called: checked by the compiler (`npm run types`). What compiles with `@types/express-ws` compiles here. */
export function typesOfTheInterface(): void {
  const { app, getWss, applyTo }: expressWs.Instance = expressWs(express())
  expressWs(express(), https.createServer(), { leaveRouterUntouched: true, wsOptions: { maxPayload: 1 } })
  expressWs(express(), undefined, {})
  const options: expressWs.Options = { wsOptions: { verifyClient: ({ origin, req }) => origin === req.headers.host } }
  expressWs(express(), null, options)

  app.ws('/chat', (ws, req, next) => {
    holds<Same<typeof ws, WebSocket>>()
    holds<Same<typeof req, express.Request>>()
    holds<Same<typeof next, express.NextFunction>>()
    next(new Error())
  })
  const chained: expressWs.Application = app.ws(
    '/a',
    () => {},
    async () => {}
  )
  chained.get('/', (_req, res) => void res.end())
  const handler: expressWs.WebsocketRequestHandler = (ws) => ws.send('hello')
  const router: expressWs.Router = express.Router({ mergeParams: true })
  router.ws('/chat', handler).ws('/other', handler)
  app.use(router)
  applyTo(router)
  applyTo(express.Router())
  applyTo({ get: () => {} })
  for (const client of getWss().clients) client.send('hello')
  getWss().on('connection', (ws, req) => ws.send(req.originalUrl))

  // @ts-expect-error a path is a string; express-ws throws for others, too
  app.ws(/chat/, handler)
  // @ts-expect-error a handler gets a socket first
  app.ws('/chat', (req: express.Request, res: express.Response) => res.send(req.url))
  // @ts-expect-error no option has this name
  expressWs(express(), undefined, { wsOption: {} })
  // @ts-expect-error the server is the second argument
  expressWs(express(), undefined, { wsOptions: { server: https.createServer() } })
}

test('The types are those of @types/express-ws', () => {
  expect(typesOfTheInterface).toBeInstanceOf(Function)
})

test('Applications with ws routes can be mounted in one that uses acceptWebSocket', async () => {
  const [outer, { app: old }, { app: older }] = [express(), expressWs(express()), expressWs(express())]
  older.ws('/cellar', say('older'))
  old.ws('/chat', say('old'))
  outer.use('/v1', old)
  outer.use('/v1', older)
  outer.use(wsUpgrade())
  outer.get('/chat', (req, res) => acceptWebSocket(req, res, say('new')))
  outer.get('/v1/news', (req, res) => acceptWebSocket(req, res, say('new after the old')))
  const target = await serve(outer)
  for (const [path, text] of [
    ['/v1/chat', 'old'],
    ['/v1/cellar', 'older'],
    ['/chat', 'new'],
    ['/v1/news', 'new after the old']
  ] as const) {
    expect(await (await connect(target, path)).next()).toBe(text)
  }
})
