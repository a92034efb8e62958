import { agree, attach, effectiveOf, limitPending } from '@oneport/core/adapter'

/** Attaches a server. Its handshakes go to its `request` listener, which is the application. */
export const attachWebSockets = (server, options) => attach(server, undefined, options, { tellsClients: true })

/** Middleware for the top of the application. */
export const webSockets = (ctx, next) => {
  limitPending(ctx.req, effectiveRequest(ctx), bindingOf(ctx))
  return next()
}

/** Accepts the handshake of a context. Koa sends the 101 when all middleware has returned. */
export function acceptWebSocket(ctx, options, handler) {
  agree(ctx.req, options, (socket) => handler(socket, ctx), bindingOf(ctx))
  ctx.status = 101
}

/** What core needs from Koa for a handshake. */
const bindingOf = (ctx) => ({
  effectiveRequest: () => effectiveRequest(ctx),
  attachHint: 'Call attachWebSockets(server).',
  trustHint: () => 'app.proxy = true'
})

/** Host, scheme and client address as Koa reports them, which depends on `app.proxy`. */
const effectiveRequest = (ctx) =>
  effectiveOf({
    host: ctx.host,
    protocol: ctx.protocol,
    isForwarded: ctx.app.proxy && ctx.get('X-Forwarded-Proto') !== '',
    address: () => ctx.ip
  })
