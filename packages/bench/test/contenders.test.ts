import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Child } from '../src/child.ts'
import { plainPath, plainText, subprotocol } from '../src/contenders/endpoint.ts'
import { broadcasters, handshakers, plainServers, resumers } from '../src/contenders/index.ts'
import { Client } from '../src/generator/client.ts'
import { closeFrame, dialects } from '../src/generator/dialect.ts'
import { flood, readFlood } from '../src/generator/flood.ts'
import type { ServerAnswer, ServerQuestion } from '../src/server-process.ts'

// Starting a process takes long on a busy machine.
jest.setTimeout(60_000)

// The built file, because the bench runs that one. `npm test` builds before it tests.
const script = join(__dirname, '../dist/server-process.js')

const accept = createHash('sha1')
  .update('dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
  .digest('base64')

let server: Child<ServerQuestion, ServerAnswer>

afterEach(() => server.end())

async function start(contender: string): Promise<number> {
  server = new Child(contender, script, 0, ['--expose-gc'])
  const { port } = await server.ask({ ask: 'start', contender, settings: {}, bufferUtil: false })
  return port as number
}

describe.each(handshakers)('the contender $name', ({ name, dialect }) => {
  const { handshake, foreignHandshake, greeting, opened, message, echo } = dialects[dialect]

  test('does its work: a handshake with a subprotocol, an echo, a close, a refusal, a GET', async () => {
    const port = await start(name)
    const client = new Client(port)
    client.write(handshake)
    const head = await client.received('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 101 /)
    expect(head.toLowerCase()).toContain(`\r\nsec-websocket-protocol: ${subprotocol}\r\n`)
    expect(head).toContain(accept)

    if (greeting !== undefined) {
      client.write(greeting)
      await client.received(opened)
    }
    client.write(message('hello'))
    expect(await client.received('hello')).toContain(echo('hello').toString('latin1'))
    client.write(closeFrame)
    await client.closed

    const foreign = new Client(port)
    foreign.write(foreignHandshake)
    expect(await foreign.received('\r\n\r\n')).toMatch(/^HTTP\/1\.1 40[03] /)
    await foreign.closed

    if (name !== 'net') {
      const response = await fetch(`http://127.0.0.1:${port}${plainPath}`)
      expect(await response.text()).toBe(plainText)
    }
  })
})

describe.each(plainServers)('the server $name', ({ name }) => {
  test('answers a GET', async () => {
    const response = await fetch(`http://127.0.0.1:${await start(name)}${plainPath}`)
    expect(await response.text()).toBe(plainText)
  })
})

describe('a server process', () => {
  test('measures its CPU time and its memory, and settles when no client is connected', async () => {
    const client = new Client(await start('ws'))
    await server.ask({ ask: 'begin', watch: 'delay' })
    client.write(dialects.websocket.handshake)
    await client.received('\r\n\r\n')
    const { cpuMs } = await server.ask({ ask: 'end' })
    expect(cpuMs).toBeGreaterThan(0)
    client.reset()
    await server.ask({ ask: 'settle' })
    const { heapBytes = 0, rssBytes = 0 } = await server.ask({ ask: 'memory' })
    expect(heapBytes).toBeGreaterThan(0)
    expect(rssBytes).toBeGreaterThan(heapBytes)
  })

  test('measures how long a full collection of garbage stops it', async () => {
    await start('ws')
    const { fullPauseMs } = await server.ask({ ask: 'collect', times: 3 })
    expect(fullPauseMs).toBeGreaterThan(0)
  })

  test('fails with the error of its contender', async () => {
    await expect(start('nobody')).rejects.toThrow('nobody')
  })
})

describe('a flood of unread messages', () => {
  const load = { clients: 2, messages: 10_000 }

  async function floodServer(): Promise<void> {
    const port = await start('ws')
    await server.ask({ ask: 'begin', watch: 'intake' })
    await flood(port, dialects.websocket, load)
    await server.ask({ ask: 'quiet' })
  }

  test('is echoed, and the clients read the echoes in the end', async () => {
    await floodServer()
    const { rssGrownBytes, worstDelayMs } = await server.ask({ ask: 'end' })
    expect(rssGrownBytes).toBeGreaterThan(0)
    expect(worstDelayMs).toBeGreaterThan(0)
    expect(await readFlood(load)).toEqual({ closed: 0, echoes: 20_000 })
  })

  test('counts the clients that the server has closed', async () => {
    await floodServer()
    await server.end()
    expect(await readFlood({ ...load, messages: 10_001 })).toEqual({ closed: 2, echoes: 20_000 })
  })
})

describe.each([...broadcasters, ...resumers])('the contender $name', ({ name, dialect }) => {
  const { handshake, greeting, opened, message } = dialects[dialect]

  test('sends what is asked for to all clients', async () => {
    const port = await start(name)
    const open = async (): Promise<Client> => {
      const client = new Client(port)
      client.write(handshake)
      await client.received('\r\n\r\n')
      if (greeting !== undefined) {
        client.write(greeting)
        await client.received(opened)
      }
      return client
    }
    const clients = [await open(), await open()]
    const texts = clients.map((client) => client.received('Jacquard'))
    clients[0]?.write(message('1'))
    await Promise.all(texts)
    for (const client of clients) client.reset()
  })
})
