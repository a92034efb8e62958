import { closed, handshake, sendRaw, takePrinted } from '@oneport/test-kit'
import Fastify, { type FastifyServerOptions } from 'fastify'
import { hasLogger } from '../src/log.ts'
import { connect, echo, makeApp, owned, start } from './harness.ts'

const foreign = { Origin: 'https://evil.example' }

const throwBroken = (): never => {
  throw new Error('broken')
}

describe('regression: an application without a logger did not report', () => {
  test('a refused origin', async () => {
    const app = await makeApp()
    app.get('/echo', { websocket: true }, echo)
    expect((await sendRaw(await start(app), handshake('/echo', foreign))).status).toBe(403)
    const [line, ...others] = takePrinted()
    expect(line).toMatch(/^oneport: HANDSHAKE_ORIGIN: origin "https:\/\/evil\.example", effective host /)
    expect(others).toEqual([])
  })

  test.each(['handler', 'listener'])('a fault in a %s', async (phase) => {
    const app = await makeApp()
    app.get('/', { websocket: true }, (socket) => {
      if (phase === 'handler') throwBroken()
      socket.on('message', throwBroken)
    })
    const { socket } = await connect(await start(app), '/')
    socket.send('go')
    expect((await closed(socket)).code).toBe(1011)
    expect(takePrinted()).toEqual([expect.stringMatching(`^oneport: fault in ${phase} at "/": Error: broken`)])
  })
})

test('onError and onRefused replace the output on stderr', async () => {
  const told: unknown[] = []
  const app = await makeApp(
    {},
    { onError: (error) => told.push((error as Error).message), onRefused: ({ code }) => told.push(code) }
  )
  app.get('/', { websocket: true }, throwBroken)
  const target = await start(app)
  await sendRaw(target, handshake('/', foreign))
  await closed((await connect(target, '/')).socket)
  expect(told).toEqual(['HANDSHAKE_ORIGIN', 'broken'])
})

test('an ordinary close writes nothing to stderr', async () => {
  const app = await makeApp()
  app.get('/', { websocket: true }, echo)
  const { socket } = await connect(await start(app), '/')
  socket.close()
  await closed(socket)
  expect(takePrinted()).toEqual([])
})

describe('hasLogger', () => {
  const write = (..._values: unknown[]): void => {}
  const logger = {
    level: 'info',
    ...Object.fromEntries(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((name) => [name, write])),
    child: () => logger
  }
  const cases: [string, FastifyServerOptions, boolean][] = [
    ['none', {}, false],
    ['false', { logger: false }, false],
    ['true', { logger: true }, true],
    ['of level silent', { logger: { level: 'silent' } }, true],
    ['of level fatal', { logger: { level: 'fatal' } }, true],
    ['of one function for all levels', { loggerInstance: logger } as unknown as FastifyServerOptions, true]
  ]

  test.each(cases)('%s: whether it is a logger', async (_name, options, expected) => {
    expect(hasLogger(owned(Fastify(options)))).toBe(expected)
  })
})
