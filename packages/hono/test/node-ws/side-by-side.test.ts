import { type IncomingMessage, request } from 'node:http'
import { takePrinted } from '@oneport/test-kit'
import { connect, expectRefused } from '@oneport/testing'
import { subjects } from './subjects.ts'

/** Collects values, and waits for the next one. */
class Collected<Value> {
  readonly #values: Value[] = []
  #tell = (): void => {}

  readonly push = (value: Value): void => {
    this.#values.push(value)
    this.#tell()
  }

  async take(count: number): Promise<Value[]> {
    while (this.#values.length < count) {
      await new Promise<void>((resolve) => {
        this.#tell = resolve
      })
    }
    return this.#values.splice(0, count)
  }
}

describe.each(subjects)('%s', (_name, create) => {
  test('calls the events of a connection in order, with Hono’s context', async () => {
    const { app, server, upgradeWebSocket } = create()
    const seen = new Collected<unknown>()
    app.get(
      '/chat/:room',
      upgradeWebSocket((c) => ({
        onOpen: ({ type }, ws) => {
          seen.push([type, c.req.param('room'), ws.readyState, ws.protocol, ws.url?.pathname, ws.binaryType])
          ws.send('welcome')
        },
        onMessage: ({ type, data }, ws) => {
          seen.push([type, data])
          ws.send(new TextEncoder().encode(String(data)))
        },
        onClose: ({ type, code, reason }, ws) => seen.push([type, code, reason, ws.readyState])
      }))
    )
    const client = await connect(server, '/chat/lobby', { subprotocols: ['v1', 'v2'] })
    expect(client.subprotocol).toBe('v1')
    expect(await client.next()).toBe('welcome')
    client.send('hello')
    expect(await client.next()).toEqual(Buffer.from('hello'))
    await client.close(4000, 'bye')
    expect(await seen.take(3)).toEqual([
      ['open', 'lobby', 1, 'v1', '/chat/lobby', 'arraybuffer'],
      ['message', 'hello'],
      ['close', 4000, 'bye', 3]
    ])
  })

  test.each([0, 1, 16, 100_000])('gets %i bytes of a binary message in an ArrayBuffer of their own', async (length) => {
    const { app, server, upgradeWebSocket } = create()
    const seen = new Collected<unknown>()
    app.get(
      '/',
      upgradeWebSocket(() => ({ onMessage: ({ data }) => seen.push(data) }))
    )
    const bytes = Buffer.alloc(length, 7)
    const client = await connect(server, '/')
    client.send(bytes)
    const [data] = await seen.take(1)
    expect(Object.prototype.toString.call(data)).toBe('[object ArrayBuffer]')
    expect(Buffer.from(data as ArrayBuffer)).toEqual(bytes)
  })

  test('closes the connection, and gives the socket of ws', async () => {
    const { app, server, upgradeWebSocket } = create()
    app.get(
      '/',
      upgradeWebSocket(() => ({
        onOpen: (_event, ws) => {
          ws.raw?.send('by the socket')
          ws.close(4001, 'enough')
        }
      }))
    )
    const client = await connect(server, '/')
    expect(await client.next()).toBe('by the socket')
    expect(await client.closed).toMatchObject({ code: 4001, reason: 'enough' })
  })

  test('waits for events that come later, and loses no message', async () => {
    const { app, server, upgradeWebSocket } = create()
    const seen = new Collected<unknown>()
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    app.get(
      '/',
      upgradeWebSocket(async () => {
        await opened
        return { onOpen: () => seen.push('open'), onMessage: ({ data }) => seen.push(data) }
      })
    )
    const connecting = connect(server, '/')
    open()
    const client = await connecting
    for (const text of ['1', '2', '3']) client.send(text)
    expect(await seen.take(4)).toEqual(['open', '1', '2', '3'])
  })

  test('takes the context and the events instead of a function', async () => {
    const { app, server, upgradeWebSocket } = create()
    app.get('/:name', (c) => {
      const name = c.req.param('name')
      return upgradeWebSocket(c, { onOpen: (_event, ws) => ws.send(name) })
    })
    expect(await (await connect(server, '/Ada')).next()).toBe('Ada')
  })

  test('passes what a handler throws to onError, and keeps the connection', async () => {
    const { app, server, upgradeWebSocket } = create()
    const faults = new Collected<unknown>()
    app.get(
      '/',
      upgradeWebSocket(
        () => ({
          onOpen: () => raise('in onOpen'),
          onMessage: ({ data }, ws) => (data === 'throw' ? raise('in onMessage') : ws.send('still here'))
        }),
        { onError: faults.push }
      )
    )
    const client = await connect(server, '/')
    client.send('throw')
    client.send('hello')
    expect(await client.next()).toBe('still here')
    expect((await faults.take(2)).map(String)).toEqual(['Error: in onOpen', 'Error: in onMessage'])
  })

  test('prints what a handler throws if there is no onError', async () => {
    const { app, server, upgradeWebSocket } = create()
    app.get(
      '/',
      upgradeWebSocket(() => ({
        onMessage: (_event, ws) => {
          ws.send('heard')
          raise('broken')
        }
      }))
    )
    const client = await connect(server, '/')
    client.send('hello')
    await client.next()
    expect(takePrinted()).toEqual(['console.error: Error: broken'])
  })

  test('an ordinary request gets the next handler of the route', async () => {
    const { app, server, upgradeWebSocket } = create()
    app.get(
      '/',
      upgradeWebSocket(() => ({ onOpen: (_event, ws) => ws.send('hello') })),
      (c) => c.text('the page')
    )
    const { port } = await new Promise<{ port: number }>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve(server.address() as never))
    )
    const response = await new Promise<IncomingMessage>((resolve) =>
      request({ port, host: '127.0.0.1', agent: false }, resolve).end()
    )
    expect((await response.toArray()).join('')).toBe('the page')
    const client = await connect(server, '/', { port: true })
    expect(await client.next()).toBe('hello')
    client.socket.terminate()
    server.close()
  })

  test('refuses a handshake to a route without it', async () => {
    const { app, server } = create()
    app.get('/page', (c) => c.text('a page'))
    expect((await expectRefused(server, '/page')).status).toBe(200)
    expect((await expectRefused(server, '/other')).status).toBe(404)
  })

  test('serves many connections', async () => {
    const { app, server, upgradeWebSocket } = create()
    app.get(
      '/',
      upgradeWebSocket(() => ({ onMessage: ({ data }, ws) => ws.send(`you: ${data}`) }))
    )
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(server, '/')))
    for (const [index, client] of clients.entries()) client.send(String(index))
    expect(await Promise.all(clients.map((client) => client.next()))).toEqual(
      clients.map((_, index) => `you: ${index}`)
    )
  })
})

// On Node 20, @hono/node-ws 1.3.1 throws a ReferenceError instead of calling onError: Node has no ErrorEvent.
describe.each(subjects.slice(1))('%s, unlike @hono/node-ws,', (_name, create) => {
  test('has events for a client that breaks the protocol', async () => {
    const { app, server, upgradeWebSocket } = create()
    const seen = new Collected<unknown>()
    app.get(
      '/',
      upgradeWebSocket(() => ({
        onError: (event) => seen.push([event.type, String((event as ErrorEvent).error)]),
        onClose: ({ code }) => seen.push(code)
      }))
    )
    const { socket } = await connect(server, '/')
    // A text message that is not UTF-8.
    socket.send(Buffer.from([0xff]), { binary: false })
    const [error, code] = await seen.take(2)
    expect(error).toEqual(['error', 'Error: Invalid WebSocket frame: invalid UTF-8 sequence'])
    expect(code).toBe(1006)
  })
})

function raise(message: string): never {
  throw new Error(message)
}
