import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import { createTopics, type Topics, type TopicsOptions } from '../../src/index.ts'

// Prints how many bytes of memory a client that does not read takes in this process. Run with --expose-gc.

/** Far above the heap's normal growth. */
const maxBufferedBytes = 67_108_864

/** The most messages to publish if the bound does not apply earlier. They would take 150 MB or more. */
const most = 400_000

/** Number of topics, for the client that gets the newest message of each. */
const manyTopics = 100_000

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Memory {
  /** All memory of the process, including what malloc needs. */
  readonly resident: number
  /** The memory that V8 knows about. */
  readonly used: number
}

async function memoryNow(): Promise<Memory> {
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc?.()
    await nextTurn()
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { resident: rss, used: heapUsed + external }
}

async function openStalled(options: ServerOptions, extensions: string): Promise<{ socket: WebSocket; raw: Socket }> {
  const http = createServer()
  const server = new WebSocketServer({ ...options, server: http })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const raw = connect((http.address() as AddressInfo).port, '127.0.0.1')
  raw.pause()
  raw.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extensions}\r\n`
  )
  const [socket] = (await once(server, 'connection')) as [WebSocket]
  socket.on('error', () => {})
  return { socket, raw }
}

/** Fills the buffers of the operating system. */
async function stall(socket: WebSocket): Promise<void> {
  const block = Buffer.alloc(65_536)
  while (socket.bufferedAmount === 0) {
    socket.send(block, { compress: false })
    await nextTurn()
  }
}

/** Other Buffers of the application, which Node allocates from the same pool as short messages. */
function allocateOthers(): void {
  for (let count = 0; count < 4; count++) Buffer.allocUnsafe(2_000)
}

/** Everything is freed once the client is closed, so memory is measured at this interval. */
const between = 4_000

interface Kind {
  readonly options?: TopicsOptions
  readonly server?: ServerOptions
  readonly extensions?: string
  begin?(socket: WebSocket): void
  publish(topics: Topics, index: number): void
  /** Whether the client reads once, so that waiting messages move to the operating system and as many wait again. */
  readonly twice?: boolean
}

const kinds: Record<string, Kind> = {
  'one-byte messages': { publish: (topics) => topics.publish('0', 'x') },
  '1,000-byte messages': { publish: (topics, index) => topics.publish('0', `${index}`.padEnd(1_000)) },
  '100-byte messages, in the process and in the operating system': {
    publish: (topics) => topics.publish('0', 'x'.padEnd(100)),
    twice: true
  },
  'messages after a fragment': {
    begin: (socket) => socket.send('begun', { fin: false }),
    publish: (topics) => topics.publish('0', 'x')
  },
  'empty messages after a compressed one': {
    server: { perMessageDeflate: { threshold: 0 } },
    extensions: 'Sec-WebSocket-Extensions: permessage-deflate\r\n',
    publish: (topics) => topics.publish('0', '')
  },
  'the latest message of many topics': {
    options: { whenSlow: 'latest', maxTopicsPerSocket: Infinity },
    begin: (socket) => socket.send(Buffer.alloc(maxBufferedBytes + 1_000_000), { compress: false }),
    publish: (topics, index) => topics.publish(`${index % manyTopics}`, 'x'.padEnd(2_000))
  }
}

async function measure(name: string): Promise<{ grownBytes: number; maxBufferedBytes: number }> {
  const { options, server = {}, extensions = '', begin, publish, twice } = kinds[name] as Kind
  const topics = createTopics({ whenSlow: 'drop', maxBufferedBytes, ...options })
  const isLatest = options?.whenSlow === 'latest'
  const { socket, raw } = await openStalled(server, extensions)
  await stall(socket)
  begin?.(socket)
  for (let index = 0; index < (isLatest ? manyTopics : 1); index++) topics.subscribe(socket, `${index}`)

  // Memory that V8 and malloc keep although nothing uses it any more.
  await publishMany(50_000, () => topics.publish('no subscribers', 'x'))
  const before = await memoryNow()
  let grownBytes = 0
  const look = async (): Promise<void> => {
    const { resident, used } = await memoryNow()
    grownBytes = Math.max(grownBytes, resident - before.resident, used - before.used)
  }
  const fill = async (): Promise<void> => {
    const { dropped, closed } = topics.stats()
    await publishMany(most, async (index) => {
      publish(topics, index)
      if (isLatest && index % between === 0) await look()
      return topics.stats().closed > closed || (!isLatest && topics.stats().dropped > dropped)
    })
    await look()
  }

  await fill()
  if (twice) {
    const { _socket } = socket as unknown as { _socket: { _writableState: { bufferedRequestCount: number } } }
    raw.resume()
    while (_socket._writableState.bufferedRequestCount > 0) await nextTurn()
    raw.pause()
    await fill()
  }
  return { grownBytes, maxBufferedBytes }
}

/** @param publish returns whether that was enough */
async function publishMany(count: number, publish: (index: number) => unknown): Promise<void> {
  for (let index = 0; index < count; index++) {
    if ((await publish(index)) === true) return
    allocateOthers()
    if (index % 16 === 0) await nextTurn()
  }
}

process.once('message', (name: string) => {
  void measure(name).then((result) => process.send?.({ ...result }, () => process.exit()))
})
