import { createServer } from 'node:http'
import { connect, expectRefused, RefusedError } from '../src/index.ts'
import { accepting, answering, brief, said } from './server.ts'

const silent = () => accepting(() => {})

describe('next()', () => {
  test('reports that no message arrived', async () => {
    using client = await connect(silent(), '/', brief)
    expect(await said(client.next())).toBe(
      'next: got no message within 250 ms. No message was received; the connection was open.'
    )
  })

  test('reports the messages that arrived before', async () => {
    const server = accepting((socket) => {
      for (const text of ['one', 'two', 'three', 'four']) socket.send(text)
      socket.ping()
      socket.ping()
    })
    using client = await connect(server, '/', brief)
    for (let count = 0; count < 4; count++) await client.next()
    expect(await said(client.next())).toBe(
      'next: got no message within 250 ms. Received and read 4 messages: …, "two", "three", "four", and 2 pings; the ' +
        'connection was open.'
    )
  })

  test('reports at once that the connection has closed, and how', async () => {
    const server = accepting((socket) => {
      socket.send(Buffer.from([1, 2]))
      socket.ping()
      socket.close(4001, 'no more')
    })
    using client = await connect(server, '/', { timeoutMs: Infinity })
    await client.next()
    const sentence =
      'next: got no further message; the connection closed with 4001 "no more". ' +
      'Received and read 1 message: 2 bytes (0102), and 1 ping.'
    expect(await said(client.next())).toBe(sentence)
    expect(await said(client.next())).toBe(sentence)
  })

  test('reports what was wrong with a frame', async () => {
    const server = accepting((socket) => {
      const { _socket: raw } = socket as unknown as { _socket: { write(bytes: Buffer): void } }
      raw.write(Buffer.from([0xff, 0]))
    })
    using client = await connect(server)
    expect(await said(client.next())).toContain('(not clean): Invalid WebSocket frame')
  })

  test('loses no message to a call that timed out', async () => {
    const server = accepting((socket) => socket.on('message', (data) => socket.send(String(data))))
    using client = await connect(server, '/', brief)
    await said(client.next())
    client.send('late')
    expect(await client.next()).toBe('late')
  })

  test('gives messages to pending calls in the order of the calls', async () => {
    const server = accepting((socket) => socket.on('message', (data) => socket.send(String(data))))
    using client = await connect(server)
    const both = Promise.all([client.next(), client.next()])
    client.send('one')
    client.send('two')
    expect(await both).toEqual(['one', 'two'])
  })

  test('throws an error whose stack leads to the line that waited', async () => {
    using client = await connect(silent(), '/', brief)
    const error = await client.next().catch((thrown: Error) => thrown)
    expect((error as Error).stack).toContain('waits.test.ts')
  })
})

test('nextJson() shows a message that is not JSON', async () => {
  using client = await connect(accepting((socket) => socket.send('<html>')))
  expect(await said(client.nextJson())).toBe('nextJson: expected JSON; got "<html>"')
})

describe('for await', () => {
  test('yields all messages until the connection closes', async () => {
    const server = accepting((socket) => {
      socket.send('one')
      setImmediate(() => {
        socket.send('two')
        socket.terminate()
      })
    })
    using client = await connect(server)
    const messages: unknown[] = []
    for await (const message of client) messages.push(message)
    expect(messages).toEqual(['one', 'two'])
  })

  test('ends with an error if no message arrives in time', async () => {
    using client = await connect(silent(), '/', brief)
    const all = async (): Promise<void> => {
      for await (const message of client) expect(message).toBe('none')
    }
    expect(await said(all())).toBe(
      'for await: got no message within 250 ms. No message was received; the connection was open.'
    )
  })

  test('leaves the connection open when the loop is left', async () => {
    const server = accepting((socket) => {
      socket.send('one')
      socket.send('two')
    })
    using client = await connect(server)
    for await (const message of client) {
      expect(message).toBe('one')
      break
    }
    expect(await client.next()).toBe('two')
  })
})

describe('closed', () => {
  test('reports what arrived instead of the end', async () => {
    using client = await connect(
      accepting((socket) => socket.send('still here')),
      '/',
      brief
    )
    expect(await said(client.closed)).toBe(
      'closed: the connection did not close within 250 ms. 1 unread message: "still here"; the connection was open.'
    )
  })

  test('may be read without being awaited', async () => {
    using client = await connect(silent(), '/', brief)
    const { closed } = client
    await said(client.next())
    client.terminate()
    expect(await said(closed)).toContain('did not close within 250 ms')
    expect(await client.closed).toEqual({ code: 1006, reason: '', clean: false })
  })
})

describe('ping()', () => {
  test('reports that no pong arrived', async () => {
    using client = await connect(
      accepting((socket) => socket.pause()),
      '/',
      brief
    )
    expect(await said(client.ping())).toBe(
      'ping: got no pong within 250 ms. No message was received; the connection was open.'
    )
  })

  test('reports that the connection has closed', async () => {
    using client = await connect(accepting((socket) => socket.close()))
    await client.closed
    expect(await said(client.ping())).toBe(
      'ping: got no pong; the connection closed with 1005. No message was received.'
    )
  })
})

describe('close()', () => {
  test('terminates if the server does not close in time', async () => {
    const client = await connect(
      accepting((socket) => socket.pause()),
      '/',
      brief
    )
    expect(await said(client.close())).toBe(
      'close: the connection did not close within 250 ms. No message was received; the connection was open.'
    )
    expect(await client.closed).toMatchObject({ code: 1006, clean: false })
  })

  test('reports how a connection closed that has already closed', async () => {
    const client = await connect(accepting((socket) => socket.close(4001)))
    await client.closed
    expect(await client.close()).toEqual({ code: 4001, reason: '', clean: true })
  })

  test('is called by `await using`', async () => {
    let heard = (_code: number): void => {}
    const end = new Promise<number>((resolve) => {
      heard = resolve
    })
    {
      await using client = await connect(accepting((socket) => socket.on('close', heard)))
      expect(client.socket.readyState).toBe(1)
    }
    expect(await end).toBe(1000)
  })
})

test('send() throws if the message could not be received', async () => {
  const client = await connect(silent())
  const closing = client.close(3001)
  expect(() => client.send('x')).toThrow('send: the connection is closing')
  await closing
  expect(() => client.sendJson({})).toThrow('send: the connection closed with 3001')
})

describe('connect()', () => {
  test('reports that no answer arrived', async () => {
    const server = answering(() => {}, { handshakeTimeoutMs: 1_000 })
    expect(await said(connect(server, '/chat?token=secret', brief))).toBe(
      'connect: the handshake of /chat was not answered within 250 ms. Nothing was received.'
    )
  })

  test('reports how much of an answer arrived', async () => {
    const server = answering((_req, res) => void res.writeHead(401).write('Log '))
    expect(await said(connect(server, '/chat', brief))).toBe(
      'connect: the handshake of /chat was not answered within 250 ms. Received status 401 and a body that starts with ' +
        '"Log ".'
    )
  })

  test('reports that an answer was cut off', async () => {
    const server = answering((_req, res) => {
      res.writeHead(401).write('Log ')
      setImmediate(() => res.destroy())
    })
    expect(await said(connect(server, '/chat'))).toContain('a body that starts with "Log ".')
  })

  test('reports what is wrong with a 101', async () => {
    const server = createServer().on('upgrade', (_req, socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    expect(await said(connect(server, '/chat'))).toBe(
      'connect: the handshake of /chat failed: Invalid Sec-WebSocket-Accept header'
    )
  })

  test('reports that the server hung up', async () => {
    const server = createServer().on('upgrade', (_req, socket) => socket.destroy())
    expect(await said(connect(server, '/chat'))).toBe('connect: the handshake of /chat failed: socket hang up')
  })

  test('reports that an application is not ready', async () => {
    const app = { server: silent(), ready: () => new Promise(() => {}) }
    expect(await said(connect(app, '/', brief))).toBe('connect: the application was not ready within 250 ms')
  })

  test('rejects with the refusal, with a stack that leads to the line that connected', async () => {
    const server = answering((_req, res) => void res.writeHead(403, { 'X-Why': 'a' }).end('Not you.\n'))
    const error = await connect(server, '/chat?a=b').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({
      name: 'RefusedError',
      message: 'the handshake of /chat was refused with 403: Not you.',
      status: 403,
      headers: { 'x-why': 'a' },
      body: 'Not you.\n'
    })
    expect((error as Error).stack).toContain('waits.test.ts')
  })
})

describe('expectRefused()', () => {
  test('throws if the handshake is accepted, and terminates the connection', async () => {
    let heard = (_code: number): void => {}
    const end = new Promise<number>((resolve) => {
      heard = resolve
    })
    const server = accepting((socket) => socket.on('close', heard), { subprotocols: ['v1'] })
    expect(await said(expectRefused(server, '/chat', { subprotocols: ['v1'] }))).toBe(
      'expectRefused: the handshake of /chat was accepted, with 101 and the subprotocol "v1"'
    )
    expect(await end).toBe(1006)
  })

  test('passes on errors that are not a refusal', async () => {
    const server = createServer().on('upgrade', (_req, socket) => socket.destroy())
    expect(await said(expectRefused(server))).toBe('expectRefused: the handshake of / failed: socket hang up')
  })
})

test('fake timers of a test stop neither the connection nor the end of a wait', async () => {
  jest.useFakeTimers()
  try {
    using client = await connect(
      accepting((socket) => socket.send('one')),
      '/',
      brief
    )
    expect(await client.next()).toBe('one')
    expect(await said(client.next())).toContain('within 250 ms')
  } finally {
    jest.useRealTimers()
  }
})
