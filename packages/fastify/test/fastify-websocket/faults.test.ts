import { closed, connectClient, hostileValues, refused, takePrinted } from '@oneport/test-kit'
import type { WebsocketPluginOptions } from '../../src/fastify-websocket/options.ts'
import { connect, echo, start } from '../harness.ts'
import { appWith, ours } from './subjects.ts'

const raise = (value: unknown) => (): never => {
  throw value
}
const rejectWith = (value: unknown) => async (): Promise<never> => {
  throw value
}

describe.each(hostileValues)('security: the process survives %s', (_value, value) => {
  test.each<[string, WebsocketPluginOptions]>([
    ['verifyClient throws', { options: { verifyClient: raise(value) } }],
    ['verifyClient rejects with', { options: { verifyClient: rejectWith(value) } }],
    ['verifyClient with a callback throws', { options: { verifyClient: (_info, _callback) => raise(value)() } }],
    ['handleProtocols throws', { options: { handleProtocols: raise(value) } }]
  ])('that %s', async (_where, options) => {
    const app = await appWith(ours, { onError: () => {}, ...options })
    app.get('/', { websocket: true }, echo)
    expect(await refused(connectClient(await start(app), '/', ['a']))).toBe(500)
  })

  test('as the status from verifyClient', async () => {
    const verifyClient = (_info: unknown, callback: (...verdict: never[]) => void) => {
      setImmediate(() => callback(...([false, value, value] as never[])))
    }
    const app = await appWith(ours, { options: { verifyClient } })
    app.get('/', { websocket: true }, echo)
    expect(await refused(connectClient(await start(app), '/'))).toBe(value === undefined ? 401 : 500)
  })

  test.each([
    ['throws', raise(value)],
    ['rejects with', rejectWith(value)]
  ])('that an errorHandler %s', async (_how, errorHandler) => {
    const faults: unknown[] = []
    const app = await appWith(ours, { onError: (error) => faults.push(error), errorHandler })
    app.get('/', { websocket: true }, raise(new Error('broken')))
    expect((await closed((await connect(await start(app), '/')).socket)).code).toBe(1011)
    expect(faults).toHaveLength(1)
  })

  test('that a listener for connection of app.websocketServer rejects with', async () => {
    const app = await appWith(ours)
    app.get('/', { websocket: true }, echo)
    app.websocketServer.on('connection', rejectWith(value))
    expect((await closed((await connect(await start(app), '/')).socket)).code).toBe(1011)
  })
})

describe('an application without a logger has on stderr', () => {
  test('a rejection of a listener for connection of app.websocketServer', async () => {
    const app = await appWith(ours, {}, {})
    app.get('/', { websocket: true }, echo)
    app.websocketServer.on('connection', async () => raise(new Error('broken'))())
    const { socket } = await connect(await start(app), '/')
    expect((await closed(socket)).code).toBe(1011)
    expect(takePrinted()).toEqual([expect.stringMatching('^oneport: fault in listener at "/": Error: broken')])
  })

  test('an error from a handler', async () => {
    const app = await appWith(ours, {}, {})
    app.get('/', { websocket: true }, raise(new Error('broken')))
    const { socket } = await connect(await start(app), '/')
    expect((await closed(socket)).code).toBe(1006)
    expect(takePrinted()).toEqual([expect.stringMatching('^oneport: fault in handler at "/": Error: broken')])
  })
})

describe('onError that', () => {
  const failures: [string, () => unknown][] = [
    ['throws', raise(new Error('the log is full'))],
    ['rejects', rejectWith(new Error('the log is full'))]
  ]

  test.each(failures)('%s, called for a listener for connections', async (_how, fail) => {
    const app = await appWith(ours, { onError: fail })
    app.get('/echo', { websocket: true }, echo)
    app.websocketServer.on('connection', async () => {
      throw new Error('broken')
    })
    const inbox = await connect(await start(app), '/echo')
    expect((await closed(inbox.socket)).code).toBe(1011)
    expect(takePrinted()).toEqual([
      expect.stringContaining('oneport: fault in listener at "/echo": Error: broken'),
      expect.stringMatching(/^oneport: fault in listener at "\/echo": (?:Error: the log is full|\[object Object\])/)
    ])
  })
})
