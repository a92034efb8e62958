import { type Context, Hono } from 'hono'
import { hc } from 'hono/client'
import { createMiddleware } from 'hono/factory'
import { validator } from 'hono/validator'
import { acceptWebSocket, type WebSocket, webSocket } from '../src/index.ts'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
const holds = <_Claim extends true>(): void => {}

interface User {
  readonly name: string
}

const requireUser = createMiddleware<{ Variables: { user: User } }>((c, next) => {
  c.set('user', { name: 'Ada' })
  return next()
})

/** Checked by the compiler (`npm run types`). */
export function typesOfAcceptWebSocket() {
  return new Hono()
    .get('/chat/:room', requireUser, (c) =>
      acceptWebSocket(c, { key: c.get('user').name }, (socket) => {
        holds<Same<typeof socket, WebSocket>>()
        const { room } = c.req.param()
        holds<Same<typeof room, string>>()
        const user = c.get('user')
        holds<Same<typeof user, User>>()
        // @ts-expect-error the path has no such parameter
        c.req.param().rom
        // @ts-expect-error nothing sets this variable
        c.get('usr')
      })
    )
    .get(
      '/search/:room',
      validator('query', () => ({ term: 'x' })),
      (c) =>
        acceptWebSocket(c, () => {
          const { term } = c.req.valid('query')
          holds<Same<typeof term, string>>()
        })
    )
    .get('/options', (c) => {
      // @ts-expect-error no option has this name
      acceptWebSocket(c, { allowedOrigin: 'any' }, () => {})
      // @ts-expect-error an option of the server, not of an endpoint
      acceptWebSocket(c, { onError: () => {} }, () => {})
      // @ts-expect-error the handler is missing
      acceptWebSocket(c)
      // @ts-expect-error the handler is missing behind the options
      acceptWebSocket(c, {})
      return acceptWebSocket(c, () => {})
    })
}

/** Checked by the compiler, as above. */
export function typesOfWebSocket() {
  const app = new Hono<{ Variables: { id: number } }>()
  app.get(
    '/one/:room',
    webSocket(async (socket, c) => {
      holds<Same<typeof socket, WebSocket>>()
      const [id, room] = [c.get('id'), c.req.param('room')] as const
      holds<Same<typeof id, number>>()
      holds<Same<typeof room, string>>()
      // @ts-expect-error nothing sets this variable
      c.get('user')
    })
  )
  app.basePath('/api').get(
    '/two/:room',
    requireUser,
    webSocket({ subprotocols: ['v1'] }, (_socket, c) => {
      const [id, user, room] = [c.get('id'), c.get('user'), c.req.param('room')] as const
      holds<Same<typeof id, number>>()
      holds<Same<typeof user, User>>()
      holds<Same<typeof room, string>>()
      // @ts-expect-error nothing sets this variable
      c.get('usr')
    })
  )
  const elsewhere = webSocket((_socket, c: Context<{ Variables: { id: number } }>) => c.get('id'))
  app.get('/three', requireUser, elsewhere)
  return new Hono()
    .get(
      '/feed/:id',
      requireUser,
      webSocket(() => {})
    )
    .get('/page', (c) => c.json({ text: 'hello' }))
}

/** Never called: checked by the compiler. */
export function mistakes(): void {
  // @ts-expect-error no option has this name
  webSocket({ subprotocol: ['v1'] }, () => {})
  // @ts-expect-error a credential depends on the request: use acceptWebSocket
  webSocket({ key: 'Ada' }, () => {})
  // @ts-expect-error the handler is missing
  webSocket({ subprotocols: ['v1'] })
}

/** Never called, as above. */
export async function typesOfTheClient(): Promise<void> {
  const feed = hc<ReturnType<typeof typesOfWebSocket>>('http://localhost')
  holds<Same<typeof socket, globalThis.WebSocket>>()
  const socket = feed.feed[':id'].$ws({ param: { id: '7' } })
  // @ts-expect-error the path has a parameter
  feed.feed[':id'].$ws({ param: {} })
  // @ts-expect-error not an endpoint
  feed.page.$ws()
  const page = await (await feed.page.$get()).json()
  holds<Same<typeof page, { text: string }>>()
  const chat = hc<ReturnType<typeof typesOfAcceptWebSocket>>('http://localhost')
  holds<Same<typeof other, globalThis.WebSocket>>()
  const other = chat.search[':room'].$ws({ param: { room: 'lobby' }, query: { term: 'x' } })
}

test('the types of the interface match the routes', () => {
  expect(typesOfAcceptWebSocket().routes.map(({ path }) => path)).toContain('/chat/:room')
  expect(typesOfWebSocket().routes.map(({ path }) => path)).toContain('/feed/:id')
  expect(mistakes).toBeInstanceOf(Function)
  expect(typesOfTheClient).toBeInstanceOf(Function)
})
