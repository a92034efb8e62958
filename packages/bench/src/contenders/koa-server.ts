import { once } from 'node:events'
import type { Server } from 'node:net'
import type { Context, default as Koa } from 'koa'
import { listening, plainPath, plainText } from './endpoint.ts'

/** Answers the ordinary requests of contenders on Koa. */
export function answerPlainKoa(ctx: Context): void {
  if (ctx.path === plainPath) ctx.body = plainText
}

/** Serves a Koa application, which does not print what it refuses. */
export async function listenKoa(app: Koa): Promise<Server> {
  app.silent = true
  const server = app.listen(listening.port, listening.host, listening.backlog)
  await once(server, 'listening')
  return server
}
