import { redisBackplane } from '@oneport/redis'
import type { Backplane } from '@oneport/topics'
import { createClient } from 'redis'

/** A backplane on the Redis at this URL. It says once that it can't reach it, and goes on trying. */
export function joinRedis(url: string): Backplane {
  let isTold = false
  return redisBackplane({
    client: createClient({ url }),
    prefix: 'oneport-demo:',
    onError(error) {
      if (isTold) return
      isTold = true
      process.stderr.write(
        `Redis cannot be reached (${whyNot(error)}). Until it can, the chat is that of this process.\n`
      )
    }
  })
}

/** The code of a fault of the network; its message may be empty, or have the address. */
function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
