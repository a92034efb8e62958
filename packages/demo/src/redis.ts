import { redisBackplane } from '@oneport/redis'
import type { Backplane } from '@oneport/topics'
import { createClient } from 'redis'

/**
 * A backplane on the Redis at this URL, which keeps the history too. It keeps trying to reach it.
 * @param report called with a sentence while it can't be reached, each time that an attempt has failed
 */
export function joinRedis(url: string, report: (sentence: string) => void): Backplane {
  return redisBackplane({
    client: createClient({ url }),
    prefix: 'oneport-demo:',
    onError: (error) => report(`Redis cannot be reached (${whyNot(error)}). Until it can, messages wait.`)
  })
}

/** The code of a network error, whose message may be empty or contain the address. */
function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
