import { redisBackplane } from '@oneport/redis'
import { createClient } from 'redis'
import type { Backplanes } from './address.ts'

/** Backplanes on the Redis at this URL. The first time it can't be reached, they print a line; they keep trying. */
export function joinRedis(url: string): Backplanes {
  let isTold = false
  const join = () =>
    redisBackplane({
      client: createClient({ url }),
      prefix: 'oneport-demo:',
      onError(error) {
        if (isTold) return
        isTold = true
        process.stderr.write(`Redis cannot be reached (${whyNot(error)}). Until it can, this process chats alone.\n`)
      }
    })
  return { said: join(), people: join() }
}

/** The code of a network error, whose message may be empty or contain the address. */
function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
