import type { Server } from 'node:net'
import { wsUpgrade } from '@oneport/koa'
import Koa from 'koa'
import { echo } from './echo.ts'
import { path, type Settings } from './endpoint.ts'
import { answerPlainKoa, listenKoa } from './koa-server.ts'
import { oneportOptions } from './oneport-options.ts'

/** Oneport's adapter for Koa. */
export async function start(settings: Settings): Promise<Server> {
  const app = new Koa()
  app.use(wsUpgrade(oneportOptions(settings)))
  app.use((ctx) => {
    if (ctx.path === path) ctx.acceptWebSocket(echo)
    else answerPlainKoa(ctx)
  })
  return listenKoa(app)
}
