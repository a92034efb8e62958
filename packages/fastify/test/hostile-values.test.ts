import { closed, connectClient, handshake, hostileValues, refused, sendRaw, takePrinted } from '@oneport/test-kit'
import { type FastifyBaseLogger, type FastifyServerOptions, LogController } from 'fastify'
import type { WebSocket, WsPluginOptions } from '../src/index.ts'
import { connect, echo, isOpen, keepLog, makeApp, start } from './harness.ts'

const raise = (value: unknown) => (): never => {
  throw value
}
const rejectWith = (value: unknown) => async (): Promise<never> => {
  throw value
}

describe.each(hostileValues)('security: the process survives %s', (_value, value) => {
  test.each<[string, WsPluginOptions]>([['an option function', { subprotocols: raise(value) }]])(
    'thrown by %s',
    async (_where, options) => {
      const app = await makeApp({}, { onError: () => {}, ...options })
      app.get('/', { websocket: true }, echo)
      expect(await refused(connectClient(await start(app), '/', ['a']))).toBe(500)
    }
  )

  test.each([
    ['handler throws', raise(value)],
    ['handler rejects with', rejectWith(value)],
    ['listener throws', (socket: WebSocket) => socket.on('message', raise(value))],
    ['listener rejects with', (socket: WebSocket) => socket.on('message', rejectWith(value))]
  ])('when a %s it: one report, one connection', async (_where, handler) => {
    const faults: unknown[] = []
    const app = await makeApp({}, { onError: (error) => faults.push(error) })
    app.get('/', { websocket: true }, handler)
    app.get('/echo', { websocket: true }, echo)
    const target = await start(app)
    const { socket } = await connect(target, '/')
    socket.send('go')
    expect((await closed(socket)).code).toBe(1011)
    expect(faults).toHaveLength(1)
    expect(Object.is(faults[0], value)).toBe(true)
    expect(await isOpen(await connect(target, '/echo'))).toBe(true)
  })

  test('as the id of a request', async () => {
    const ids: unknown[] = []
    const serverOptions = { genReqId: () => value } as unknown as FastifyServerOptions
    const app = await makeApp(serverOptions, { onClosed: (_socket, { request }) => ids.push(request.id) })
    app.get('/', { websocket: true }, (socket) => socket.terminate())
    await closed((await connect(await start(app), '/')).socket)
    expect(ids).toEqual([typeof value === 'string' ? value : undefined])
  })
})

test('security: line breaks in the id of a request do not break a log line', async () => {
  const log = keepLog()
  const id = 'a\r\nb\u001b[31m'
  const app = await makeApp({ logger: log.options, genReqId: () => id })
  app.get('/', { websocket: true }, (socket) => socket.terminate())
  await closed((await connect(await start(app), '/')).socket)
  expect(await log.line(({ msg }) => msg === 'WebSocket closed')).toMatchObject({ reqId: id })
})

describe('a logger that throws', () => {
  /** Leaves out Fastify's own log lines for requests, because Fastify does not survive a logger that throws there. */
  class WithoutRequests extends LogController {
    override incomingRequest(): void {}
    override requestCompleted(): void {}
    override defaultErrorLog(): void {}
  }

  /** Works until the disk is full. */
  function failingLogger() {
    const disk = { isFull: false }
    const write = (..._values: unknown[]): void => {
      if (disk.isFull) throw new Error('The disk is full')
    }
    const logger = { level: 'info', child: () => logger } as unknown as FastifyBaseLogger
    for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']) {
      Object.assign(logger, { [level]: write })
    }
    return { logger, disk }
  }

  test.each(['refused', 'closed', 'faulty'])('does not affect a %s handshake or connection', async (what) => {
    const { logger, disk } = failingLogger()
    const faults: unknown[] = []
    const app = await makeApp(
      { loggerInstance: logger, logController: new WithoutRequests() },
      what === 'faulty' ? {} : { onError: (error) => faults.push((error as Error).message) }
    )
    app.get('/', { websocket: true }, (socket) => {
      if (what === 'faulty') throw new Error('broken')
      socket.close(4000)
    })
    const target = await start(app)
    disk.isFull = true
    if (what === 'refused') {
      expect((await sendRaw(target, handshake('/', { Origin: 'https://evil.example' }))).status).toBe(403)
    } else {
      expect((await closed((await connect(target, '/')).socket)).code).toBe(what === 'faulty' ? 1011 : 4000)
    }
    await app.websockets.drain()
    disk.isFull = false
    if (what === 'faulty') {
      expect(takePrinted().slice(0, 2)).toEqual([
        expect.stringMatching('^oneport: fault in handler at "/": Error: broken'),
        expect.stringMatching('^oneport: fault in handler at "/": Error: The disk is full')
      ])
    } else {
      expect(faults).toEqual(['The disk is full'])
    }
  })
})
