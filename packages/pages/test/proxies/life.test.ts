import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { closed } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { applications } from './application.ts'
import { lookFor } from './installed.ts'
import { caddy, haproxy, nginx, swap } from './kinds.ts'
import { configOf } from './proxy.ts'
import { startApp, startProxy } from './stage.ts'
import { echoes, visit, welcome } from './visitor.ts'

// A proxy that starts on a busy machine takes its time.
jest.setTimeout(30_000)

describe.each([nginx, haproxy, caddy])('$name', (kind) => {
  const { hint, isInstalled } = lookFor(kind.program, kind.program)
  const describeEach = isInstalled ? describe.each : describe.skip.each

  describeEach(applications)(`in front of %s${hint}`, (_framework, start) => {
    test.each(['plain', 'tls'] as const)(
      'hands on the close code with which the application drains, %s',
      async (way) => {
        const app = await startApp(start)
        const { [way]: target } = await startProxy(kind, app.port)
        const ended = closed((await visit(target, '/chat')).socket)
        expect(await app.drain({ code: 1012, reason: 'restarting' })).toEqual({ closed: 1, terminated: 0 })
        expect(await ended).toEqual({ code: 1012, reason: 'restarting' })
      }
    )

    if (kind === caddy) {
      test('closes open connections when its configuration is reloaded', async () => {
        // Caddy 2.6.2 does not mask the close frame that it sends to the application, which may be a fault there.
        const [before, after] = [await startApp(start, { options: { onError: () => {} } }), await startApp(start)]
        const proxy = await startProxy(kind, before.port)
        const ended = closed((await visit(proxy.tls, '/chat')).socket)
        await proxy.reload(after.port)
        await ended
        expect(await welcome(await visit(proxy.tls, '/chat'))).toMatchObject({ port: after.port })
      })
      return
    }

    test('keeps open connections at a reload, until the application closes them', async () => {
      const [before, after] = [await startApp(start), await startApp(start)]
      const proxy = await startProxy(kind, before.port)
      const clients = [await visit(proxy.plain, '/chat'), await visit(proxy.tls, '/chat')]
      for (const client of clients) expect(await welcome(client)).toMatchObject({ port: before.port })
      await proxy.reload(after.port)
      for (const target of [proxy.plain, proxy.tls]) {
        const client = await visit(target, '/chat')
        expect(await welcome(client)).toMatchObject({ port: after.port })
        expect(await echoes(client, 'new')).toBe(true)
      }
      for (const client of clients) expect(await echoes(client, 'old')).toBe(true)
      const ended = Promise.all(clients.map(({ socket }) => closed(socket)))
      await before.drain({ code: 1012 })
      expect((await ended).map(({ code }) => code)).toEqual([1012, 1012])
    })

    // One second in place of the hour of the page, and of the minute that is nginx's default.
    const short = (): string => swap(configOf(kind), ' 1h', ' 1s')

    test('cuts nobody whom the heartbeat pings within its idle timeout', async () => {
      const { port } = await startApp(start, { options: { heartbeat: { intervalMs: 250 } } })
      const { plain } = await startProxy(kind, port, short())
      const { socket } = await visit(plain, '/silent')
      expect(await Promise.race([isCut(socket), hearsPings(socket, 6)])).toBe('lives')
    })

    test('cuts a silent client after its idle timeout without a heartbeat, and none that sends', async () => {
      const { port } = await startApp(start, { options: { heartbeat: false } })
      const { plain } = await startProxy(kind, port, short())
      const [silent, sending] = [(await visit(plain, '/silent')).socket, (await visit(plain, '/silent')).socket]
      const sends = Promise.race([isCut(sending), keepsSending(sending)])
      expect(await isCut(silent)).toBe('cut')
      expect(await sends).toBe('lives')
    })
  })
})

const isCut = (socket: WebSocket): Promise<string> =>
  closed(socket).then(({ code }) => (code === 1006 ? 'cut' : 'closed'))

async function hearsPings(socket: WebSocket, count: number): Promise<string> {
  for (let heard = 0; heard < count; heard++) await once(socket, 'ping')
  return 'lives'
}

/** Sends for two seconds, which is longer than the idle timeout. */
async function keepsSending(socket: WebSocket): Promise<string> {
  for (let sent = 0; sent < 40; sent++) {
    socket.send('hello')
    await sleep(50)
  }
  return 'lives'
}
