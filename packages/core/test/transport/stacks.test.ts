import { execFile } from 'node:child_process'
import { Socket } from 'node:net'
import { promisify } from 'node:util'
import { handshake } from '@oneport/test-kit'
import { acceptWebSocket } from '../../src/index.ts'
import { serve, stopAll } from '../server.ts'

/** How often `end()` was called on a socket that had already ended: each time, Node creates an error with a stack. */
let endedAgain = 0
const { end } = Socket.prototype

// Before any socket is accepted, because core keeps the method of the class.
beforeAll(() => {
  Socket.prototype.end = function (this: Socket, ...args: never[]) {
    if (this.writableEnded && args.length === 0) endedAgain++
    return Reflect.apply(end, this, args) as Socket
  }
})

afterAll(() => {
  Socket.prototype.end = end
})

afterEach(stopAll)

/** A client in a process of its own, whose sockets do not count. It sends each part when something has arrived. */
const client = `
const [port, ...parts] = process.argv.slice(1)
const socket = require('node:net').connect(Number(port), '127.0.0.1')
const next = () => parts.length > 0 && socket.write(Buffer.from(parts.shift(), 'hex'))
socket.on('connect', next).on('data', next).on('end', () => socket.end())
`

function visit(port: number, ...parts: string[]): Promise<unknown> {
  const inHex = parts.map((part) => Buffer.from(part, 'latin1').toString('hex'))
  return promisify(execFile)(process.execPath, ['-e', client, String(port), ...inHex])
}

const closeFrame = '\x88\x82\0\0\0\0\x03\xe8'

test.each<[what: string, parts: string[]]>([
  ['a refusal', [handshake('/', { Origin: 'https://evil.example' })]],
  ['a handshake and a close', [handshake('/'), closeFrame]]
])('regression: %s made errors with stacks that nobody saw', async (_what, parts) => {
  const { target, attachment } = await serve((req, res) => acceptWebSocket(req, res, () => {}), { onRefused: () => {} })
  endedAgain = 0
  await visit(target.port, ...parts)
  while (attachment.connections.size > 0) await new Promise(setImmediate)
  const { refused, closed } = attachment.stats()
  expect({ ...refused, ...closed }).toEqual(parts.length === 1 ? { HANDSHAKE_ORIGIN: 1 } : { 1000: 1 })
  expect(endedAgain).toBe(0)
})
