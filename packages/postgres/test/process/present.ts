import { serveMember } from '../../../topics/test/silent.ts'
import { postgresBackplane } from '../../src/index.ts'

// A node with one member. Its parent kills it.

const [connection = '', id = '', topic = '', intervalMs = ''] = process.argv.slice(2)
serveMember(postgresBackplane({ connection }), Number(intervalMs), id, topic)
