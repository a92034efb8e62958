export type { RedisClient } from './client.ts'
export type { RedisBackplaneOptions } from './options.ts'
export { redisBackplane } from './redis-backplane.ts'
