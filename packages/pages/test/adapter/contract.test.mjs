import { once } from 'node:events'
import test from 'node:test'
import { cases } from '@oneport/adapter-testsuite'
import Koa from 'koa'
import { acceptWebSocket, attachWebSockets, webSockets } from './koa-websockets.mjs'

/** @type {import('@oneport/adapter-testsuite').Subject} */
async function serve({ before, createServer, endpoints, fields, lateFields, options, pages }) {
  const app = new Koa()
  app.silent = true
  app.use(webSockets)
  app.use(async (ctx, next) => {
    ctx.set(fields)
    await next().catch((thrown) => answer(ctx, thrown))
    ctx.set(lateFields)
  })
  app.use(async (ctx, next) => {
    await before(ctx.req, ctx.res)
    await next()
  })
  app.use((ctx) => {
    const page = pages.find(({ path }) => path === ctx.path)
    const endpoint = endpoints.find(({ path }) => path === ctx.path)
    if (page !== undefined) ctx.body = page.text
    if (endpoint !== undefined) acceptWebSocket(ctx, endpoint.options, endpoint.handler)
  })
  const server = createServer(app.callback())
  const attachment = attachWebSockets(server, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, drain: () => attachment.drain() }
}

/** Some cases throw values that are no errors. */
function answer(ctx, thrown) {
  const { status = 500, message, headers = {} } = thrown instanceof Error ? thrown : {}
  ctx.status = status
  ctx.body = status < 500 ? message : 'broken'
  ctx.set(headers)
}

for (const { name, run } of cases(serve, { http2: true })) test(name, run)
