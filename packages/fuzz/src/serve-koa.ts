import { once } from 'node:events'
import Router from '@koa/router'
import { isWebSocketRequest, wsUpgrade } from '@oneport/koa'
import Koa from 'koa'
import type { Application, Options } from './application.ts'
import { enter } from './books.ts'
import { endpoints } from './endpoints.ts'
import { routes } from './routes.ts'

export async function serveKoa(options: Options): Promise<Application> {
  const app = new Koa()
  const router = new Router()
  const upgrade = wsUpgrade(options)
  app.use((ctx, next) => {
    enter(ctx.req, ctx.res)
    return next()
  })
  // Koa reports clients that leave.
  app.on('error', () => {})
  app.use(upgrade)
  for (const { path, serve } of routes) {
    router.get(path, (ctx) => {
      ctx.respond = false
      ctx.res.statusCode = 200
      serve(ctx.res)
    })
  }
  router.get('/plain', (ctx) => {
    ctx.body = 'plain'
  })
  for (const { path, before, options: own, serve } of endpoints) {
    router.get(path, async (ctx) => {
      if (isWebSocketRequest(ctx.req)) await before()
      ctx.acceptWebSocket(own, serve)
    })
  }
  app.use(router.routes())
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, attachment: upgrade.attach(server) }
}
