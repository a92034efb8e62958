import Sequencer from '@jest/test-sequencer'

/**
 * The slowest suites, slowest first. Jest only knows the times of the last run; without them it starts with the largest
 * file.
 */
const long = [
  'packages/runtimes/test/runtimes',
  'packages/nestjs/test/contract',
  'packages/nestjs/test/contract-nest11',
  'packages/redis/test/history-outage',
  'packages/redis/test/outage',
  'packages/postgres/test/loss',
  'packages/postgres/test/outage',
  'packages/release/test/install',
  'packages/koa/test/contract',
  'packages/release/test/publish',
  'packages/demo/test/browser',
  'packages/pages/test/examples',
  'packages/hono/test/contract',
  'packages/pages/test/recipes/next',
  'packages/pages/test/recipes/client-frameworks',
  'packages/client/test/networks/cut',
  'packages/client/test/networks/buffering',
  'packages/client/test/networks/upgrade',
  'packages/bench/test/rolling',
  'packages/client/test/networks/offline',
  'packages/client/test/networks/frozen',
  'packages/pages/test/contracts',
  'packages/pages/test/recipes/nitro',
  'packages/site/test/site',
  'scripts/test/example',
  'packages/pages/test/troubleshooting',
  'packages/pages/test/reconnecting',
  'packages/apm/test/monitors',
  'packages/apm/test/es-modules',
  'packages/pages/test/applications/jwt',
  'packages/core/test/life/backlog',
  'packages/fuzz/test/fuzz',
  'packages/core/test/transport/progress',
  'packages/neighbours/test/next',
  'packages/demo/test/https',
  'scripts/test/start',
  'scripts/test/failures',
  'packages/pages/test/proxies/life',
  'packages/core/test/life/names',
  'packages/fuzz/test/soak',
  'packages/testing/test/runners',
  'packages/demo/test/process',
  'packages/release/test/tarballs',
  'packages/release/test/api',
  'packages/topics/test/memory',
  'packages/release/test/size',
  'packages/redis/test/contract',
  'packages/pages/test/adapter',
  'packages/torture/test/run',
  'packages/core/test/ends',
  'packages/pages/test/proxies/passing',
  'packages/redis/test/redis-backplane',
  'packages/pages/test/applications/sessions',
  'packages/pages/test/applications/chat',
  'packages/pages/test/recipes/helmet'
]

const rank = ({ path }) => {
  const index = long.findIndex((name) => path.endsWith(`/${name}.test.ts`))
  return index === -1 ? long.length : index
}

/** Starts the slowest suites first, so that no worker is left alone with one at the end. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((one, other) => rank(one) - rank(other))
  }
}
