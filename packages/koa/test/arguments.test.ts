import http from 'node:http'
import Koa from 'koa'
import { wsUpgrade } from '../src/index.ts'

describe('wsUpgrade()', () => {
  test.each<[string, () => unknown, string]>([
    ['an application', () => new Koa(), 'got an application or a router: call app.use(wsUpgrade())'],
    ['a server', () => http.createServer(), 'got a server: call wsUpgrade().attach(server)'],
    ['a handler', () => () => {}, 'got a handler: pass it to ctx.acceptWebSocket()'],
    [
      'a context',
      () => new Koa().createContext({ headers: {}, socket: {} } as never, {} as never),
      'got a context: call it, as in app.use(wsUpgrade()), not app.use(wsUpgrade)'
    ]
  ])('throws a TypeError for %s, and says what to do', (_what, make, message) => {
    expect(() => wsUpgrade(make() as never)).toThrow(new TypeError(`wsUpgrade: expected options; ${message}`))
  })

  test('throws for a misspelt option, for one of an endpoint, and for effectiveRequest', () => {
    expect(() => wsUpgrade({ maxConnection: 1 } as never)).toThrow(/wsUpgrade: .*maxConnection/)
    expect(() => wsUpgrade({ maxPayloadBytes: 0 })).toThrow(/wsUpgrade: maxPayloadBytes/)
    expect(() => wsUpgrade({ effectiveRequest: () => ({}) } as never)).toThrow(/app\.proxy = true/)
  })

  test('has all members of an attachment before it has a server', async () => {
    const websockets = wsUpgrade()
    expect([...websockets.connections]).toEqual([])
    expect(websockets.connectionsOf('ada').size).toBe(0)
    expect(websockets.revoke('ada')).toBe(0)
    expect(websockets.stats()).toMatchObject({ open: 0, pending: 0, draining: false })
    expect(await websockets.drain()).toEqual({ closed: 0, terminated: 0 })
    websockets.detach()
  })
})
