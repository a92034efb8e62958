export { type RedisBackplaneOptions, type RedisClient, redisBackplane } from './index.ts'
