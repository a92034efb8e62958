import express from 'express'
import { acceptWebSocket, checkHandshake, type WebSocket, wsUpgrade } from '../src/index.ts'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
const holds = <_Claim extends true>(): void => {}

/** Never called: checked by the compiler (`npm run types`). */
export function typesOfTheInterface(app: express.Express): void {
  app.get('/chat/:room/:seat', (req, res) =>
    acceptWebSocket(req, res, (socket, request) => {
      holds<Same<typeof req.params.room, string>>()
      holds<Same<typeof request.params.room, string>>()
      holds<Same<typeof request.params.seat, string>>()
      holds<Same<typeof request, typeof req>>()
      holds<Same<typeof socket, WebSocket>>()
      // @ts-expect-error the path has no such parameter
      req.params.rom
      // @ts-expect-error the path has no such parameter
      request.params.rom
    })
  )

  app.get('/chat/:room', (req, res) => {
    const accepting = acceptWebSocket(req, res, { subprotocols: ['chat'] }, (_socket, request) => {
      holds<Same<typeof request.params, { room: string }>>()
    })
    holds<Same<typeof accepting, Promise<void>>>()
    return accepting
  })

  app.get('/options', (req, res) => {
    // @ts-expect-error no option has this name
    void acceptWebSocket(req, res, { allowedOrigin: 'any' }, () => {})
    // @ts-expect-error an option of the server, not of an endpoint
    void acceptWebSocket(req, res, { onError: () => {} }, () => {})
    // @ts-expect-error the handler is missing
    void acceptWebSocket(req, res)
    // @ts-expect-error the handler is missing behind the options
    void acceptWebSocket(req, res, {})
    // @ts-expect-error a list or a word, but this word is none of them
    void acceptWebSocket(req, res, { allowedOrigins: 'all' }, () => {})
    // @ts-expect-error no option of checkHandshake has this name
    checkHandshake(req, { origins: [] })
    const { subprotocol } = checkHandshake(req, { subprotocols: ['chat'] })
    holds<Same<typeof subprotocol, string | undefined>>()
  })

  app.use(wsUpgrade())
  app.use(wsUpgrade({ allowedOrigins: ['https://app.example', /https:\/\/.*/], onError: () => {} }))
  app.use(
    '/echo',
    wsUpgrade({ maxPayloadBytes: 10 }, (socket, req) => {
      holds<Same<typeof socket, WebSocket>>()
      holds<Same<typeof req, express.Request>>()
    })
  )
  app.use(
    '/echo',
    wsUpgrade((socket, req) => socket.send(req.originalUrl))
  )
  express.Router().use(wsUpgrade())
  // @ts-expect-error no option has this name
  wsUpgrade({ path: '/echo' })
  // @ts-expect-error Express has its own setting for this, trust proxy
  wsUpgrade({ effectiveRequest: () => ({}) })
  // @ts-expect-error a handler is a function
  wsUpgrade({}, 'echo')
}

test('The types of the interface match the routes', () => {
  expect(typesOfTheInterface).toBeInstanceOf(Function)
})
