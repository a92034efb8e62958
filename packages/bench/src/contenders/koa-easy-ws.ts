import type { Server } from 'node:net'
import Koa, { type Context } from 'koa'
import websocket from 'koa-easy-ws'
import type { WebSocket } from 'ws'
import { echo } from './echo.ts'
import { chooseSubprotocol, isAllowed, path } from './endpoint.ts'
import { answerPlainKoa, listenKoa } from './koa-server.ts'

/** koa-easy-ws. The middleware that accepts checks the origin. */
export async function start(): Promise<Server> {
  const app = new Koa()
  app.use(websocket('ws', { wsOptions: { handleProtocols: chooseSubprotocol } }))
  app.use(async (ctx: Context & { ws?: () => Promise<WebSocket> }) => {
    if (ctx.path !== path || ctx.ws === undefined) answerPlainKoa(ctx)
    else if (isAllowed(ctx.req)) echo(await ctx.ws())
    else refuse(ctx)
  })
  return listenKoa(app)
}

/** Ends the connection too, which would otherwise stay open for another request. */
function refuse(ctx: Context): void {
  ctx.status = 403
  ctx.set('Connection', 'close')
}
