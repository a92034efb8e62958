import { isPrintable } from '@oneport/core/adapter'
import type { Context, Next } from 'koa'

/** Error middleware as applications have it, for anything that can be thrown. */
export async function answerErrors(ctx: Context, next: Next): Promise<void> {
  try {
    await next()
  } catch (error) {
    const { status = 500, message = '', headers = {} } = Object(isPrintable(error) ? error : {})
    ctx.status = status
    ctx.body = status < 500 ? message : 'broken'
    ctx.set(headers)
  }
}
