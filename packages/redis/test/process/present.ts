import { createClient } from 'redis'
import { serveMember } from '../../../topics/test/silent.ts'
import { redisBackplane } from '../../src/index.ts'

// A node with one member. Its parent kills it.

const [url = '', id = '', topic = '', intervalMs = ''] = process.argv.slice(2)
serveMember(redisBackplane({ client: createClient({ url }) }), Number(intervalMs), id, topic)
