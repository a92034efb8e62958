import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Random } from '@oneport/kit'
import { Relay } from '../src/stage/relay.ts'

let server: Server
let relay: Relay
let port: number

beforeEach(async () => {
  server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  relay = new Relay((server.address() as AddressInfo).port)
  port = await relay.listen()
})

afterEach(async () => {
  await relay.close()
  await once(server.close(), 'close')
})

async function connectTo(to = port): Promise<Socket> {
  const socket = connect(to, '127.0.0.1')
  await once(socket, 'connect')
  // At the end all connections are reset.
  return socket.on('error', () => {})
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  let got = ''
  while (got.length < text.length) got += String((await once(socket, 'data'))[0])
  return got
}

test('passes on bytes', async () => {
  expect(await echo(await connectTo(), 'hello')).toBe('hello')
})

test('passes on nothing while it is cut, to old and new connections, and everything afterwards', async () => {
  const old = await connectTo()
  await echo(old, 'hello')
  relay.cut()
  const late = await connectTo()
  const heard: string[] = []
  for (const socket of [old, late]) {
    socket.on('data', (chunk) => heard.push(String(chunk)))
    socket.write('waits')
  }
  // A connection that is not cut has been there and back.
  const control = new Relay((server.address() as AddressInfo).port)
  expect(await echo(await connectTo(await control.listen()), 'x')).toBe('x')
  await control.close()
  expect(heard).toEqual([])
  const all = Promise.all([old, late].map((socket) => once(socket, 'data')))
  relay.heal()
  await all
  expect(heard).toEqual(['waits', 'waits'])
})

test('passes on everything once if it was cut twice at a time', async () => {
  const socket = await connectTo()
  await echo(socket, 'hello')
  for (const step of ['cut', 'cut', 'heal', 'heal'] as const) relay[step]()
  expect(await echo(socket, 'a')).toBe('a')
  expect(await echo(socket, 'b')).toBe('b')
})

test('resets connections', async () => {
  const socket = await connectTo()
  await echo(socket, 'hello')
  const lost = once(socket, 'error')
  relay.reset(1, new Random(1))
  expect(await lost).toMatchObject([{ code: 'ECONNRESET' }])
})
