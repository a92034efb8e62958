import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { handshakeDraft, write } from '../src/draft.ts'
import { exchange } from '../src/exchange.ts'
import type { Visit } from '../src/visit.ts'

let server: Server
const sockets: Socket[] = []

/** A server that treats every connection the same. */
async function serve(treat: (socket: Socket) => void): Promise<number> {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on('error', () => {}))
    treat(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

afterEach(async () => {
  jest.useRealTimers()
  for (const socket of sockets.splice(0)) socket.destroy()
  await once(server.close(), 'close')
})

const handshake = write(handshakeDraft('/echo'))
const visit = (given: Partial<Visit> = {}): Visit => ({
  pieces: [handshake],
  frames: [],
  leaves: 'last',
  by: 'end',
  handshakes: 1,
  ...given
})
const accept = 'HSmrc0sMlYUkAGmm5OPpG2HaGWk='
const switching = (value = accept, fields = ''): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${value}\r\n${fields}\r\n`
const notFound = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
const ordinary = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

const answering = (text: string) => (socket: Socket) => void socket.once('data', () => socket.end(text, 'latin1'))

test.each<[what: string, text: string, given: Partial<Visit>]>([
  ['a 101 with a close frame', `${switching()}\x88\x02\x03\xe8`, {}],
  ['a refusal that is allowed', notFound, { pieces: [handshake.replace('echo', 'missing')] }],
  ['the end without an answer to half a request', '', { pieces: [handshake.slice(0, 50)] }],
  ['an echoed message', `${switching()}\x81\x01x\x88\x02\x03\xe8`, { messages: 1 }],
  ['a client that leaves while it waits', '', { leaves: 'meanwhile', delayMs: 1 }],
  ['a client that leaves with its bytes', '', { leaves: 'with it' }],
  ['a client that leaves with the first byte of an answer', notFound.slice(0, 9), { leaves: 'begun', by: 'close' }],
  ['the end without an answer to a client that leaves at once', '', { leaves: 'at once' }]
])('%s is fine', async (_what, text, given) => {
  expect((await exchange(await serve(answering(text)), visit(given))).fault).toBeUndefined()
})

const version8 = { pieces: [handshake.replace(': 13', ': 8')] }

test.each<[what: string, fault: string, text: string, given: Partial<Visit>]>([
  ['a 101 to a forbidden handshake', 'the version is not 13', switching(), version8],
  ['a 101 without a handshake', 'a 101 to something that is not a handshake', switching(), { pieces: ['hello\n\n'] }],
  ['a 101 for another key', 'a 101 that accepts AAAA', switching('AAAA'), {}],
  ['a subprotocol that was not offered', 'subprotocol a', switching(accept, 'Sec-WebSocket-Protocol: a\r\n'), {}],
  ['an extension that was not offered', 'extensions a', switching(accept, 'Sec-WebSocket-Extensions: a\r\n'), {}],
  ['an error page after a 101', 'a control frame', `${switching()}HTTP/1.1 500 No\r\n\r\n`, {}],
  ['a refusal of a valid handshake', 'a valid handshake, but 404', notFound, {}],
  ['no answer', 'no answer to request 1 of 1', '', { pieces: [ordinary] }],
  ['half an answer', 'an answer is cut off', notFound.replace(': 0', ': 9'), { pieces: [ordinary] }],
  ['one answer of two', 'request 2 of 2', notFound.replace('close', 'x'), { pieces: [ordinary, ordinary] }],
  ['a message that is not echoed', '0 of 1 messages', `${switching()}\x88\x02\x03\xe8`, { messages: 1 }],
  ['no close frame', 'no close frame', `${switching()}\x81\x01x`, { messages: 1 }],
  ['no HTTP', 'bytes that are not a status line', 'hello', {}]
])('%s is a fault', async (_what, fault, text, given) => {
  expect((await exchange(await serve(answering(text)), visit(given))).fault).toContain(fault)
})

test('a server that neither answers nor ends the connection hangs', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] })
  const port = await serve((socket) => socket.once('data', () => jest.advanceTimersByTime(15_000)))
  expect((await exchange(port, visit())).fault).toBe('the connection hangs')
})

test('no server is a fault', async () => {
  const port = await serve(() => {})
  await once(server.close(), 'close')
  expect((await exchange(port, visit())).fault).toContain('ECONNREFUSED')
  await serve(() => {})
})
