import { clusterBackplane } from '@oneport/topics/cluster'
import type { Address, Running } from './address.ts'
import { type Job, type Report, readOrder } from './orders.ts'

const report = (told: Report): void => void process.send?.(told)

/** Serves the demo in one of several processes, as the primary one says. */
export function work(): void {
  let running: Promise<Running | undefined> | undefined
  // Ctrl-C reaches all processes; the primary one says when this one ends.
  process.on('SIGINT', () => {})
  process.on('message', (message: unknown) => {
    const order = readOrder(message)
    if (order?.demo === 'serve') running = serve(order.job)
    else if (order?.demo === 'end') void end(running)
  })
}

/** Loads only what is asked for: each of these takes up to a tenth of a second. */
async function serve({ framework, redis, ...address }: Job): Promise<Running | undefined> {
  try {
    const given: Address = {
      ...address,
      backplane:
        redis === undefined
          ? clusterBackplane()
          : (await import('./redis.ts')).joinRedis(redis, (sentence) => report({ demo: 'say', sentence })),
      kill: (pid) => report({ demo: 'kill', pid })
    }
    const running =
      framework === 'Express'
        ? await (await import('./express.ts')).startExpress(given)
        : await (await import('./fastify.ts')).startFastify(given)
    report({ demo: 'listening' })
    return running
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    report({ demo: 'failed', code, message })
    return undefined
  }
}

async function end(running: Promise<Running | undefined> | undefined): Promise<void> {
  await (await running)?.close()
  // Without the channel to the primary process nothing is left, and it ends.
  process.disconnect()
}
