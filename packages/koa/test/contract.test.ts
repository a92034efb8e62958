import { once } from 'node:events'
import { cases, type Subject } from '@oneport/adapter-testsuite'
import { describeOtherClients } from '@oneport/test-kit'
import Koa from 'koa'
import { wsUpgrade } from '../src/index.ts'
import { answerErrors } from './answer-errors.ts'
import { type KoaModule, versions } from './versions.ts'

const subjectOf =
  (Koa: KoaModule): Subject =>
  async ({ before, createServer, endpoints, fields, http2, lateFields, options, pages, tls }) => {
    const app = new Koa()
    app.silent = true
    const websockets = wsUpgrade(options)
    app.use(async (ctx, next) => {
      ctx.set(fields)
      await next()
      ctx.set(lateFields)
    })
    app.use(answerErrors)
    app.use(websockets)
    app.use(async (ctx, next) => {
      await before(ctx.req, ctx.res)
      await next()
    })
    app.use((ctx) => {
      const page = pages.find(({ path }) => path === ctx.path)
      const endpoint = endpoints.find(({ path }) => path === ctx.path)
      if (page !== undefined) ctx.body = page.text
      if (endpoint !== undefined) ctx.acceptWebSocket(endpoint.options, (socket) => endpoint.handler(socket))
    })
    const server = createServer(app.callback())
    // Without TLS, the settings of the first session are sent before Node reports its connection.
    if (http2 && !tls) websockets.attach(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return { server, drain: () => websockets.drain() }
  }

describe.each(versions)('%s', (_name, Koa) => {
  const serve = subjectOf(Koa)
  for (const { name, run } of cases(serve, { http2: true })) test(name, run)
  describeOtherClients(serve, { http2: true })
})

/** A handshake that is refused before the application gets it, so that nobody knows whose it was. */
const unknown = 'refuses a handshake without Host, and one with two'

describe('Koa, while another application still waits for its server', () => {
  beforeEach(() => void wsUpgrade())

  const all = cases(subjectOf(Koa), { http2: true })
  for (const { name, run } of all) if (!name.endsWith(unknown)) test(name, run)
})
