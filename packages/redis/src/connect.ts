import { isIoRedis, isIoRedisCluster, isNodeRedis, isNodeRedisCluster, type RedisClient } from './client.ts'
import type { Connection, Events } from './connection.ts'
import { connectIoRedis, connectIoRedisCluster } from './ioredis.ts'
import { connectNodeRedis, connectNodeRedisCluster } from './node-redis.ts'

/** @returns undefined if the client is of an unknown kind */
export function connect(client: RedisClient, events: Events): Connection | undefined {
  if (isNodeRedisCluster(client)) return connectNodeRedisCluster(client, events)
  if (isNodeRedis(client)) return connectNodeRedis(client, events)
  if (isIoRedisCluster(client)) return connectIoRedisCluster(client, events)
  if (isIoRedis(client)) return connectIoRedis(client, events)
  return undefined
}
