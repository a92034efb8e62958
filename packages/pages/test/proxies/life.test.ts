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

// Starting a proxy takes long on a busy machine.
jest.setTimeout(30_000)

describe.each([nginx, haproxy, caddy])('$name', (kind) => {
  const { hint, isInstalled } = lookFor(kind.program, kind.program)
  const describeEach = isInstalled ? describe.each : describe.skip.each

  describeEach(applications)(`in front of %s${hint}`, (_framework, start) => {
    test.each(['plain', 'tls'] as const)('passes on the close code of a drain, %s', async (way) => {
      const app = await startApp(start)
      const { [way]: target } = await startProxy(kind, app.port)
      const ended = closed((await visit(target, '/chat')).socket)
      expect(await app.drain({ code: 1012, reason: 'restarting' })).toEqual({ closed: 1, terminated: 0 })
      expect(await ended).toEqual({ code: 1012, reason: 'restarting' })
    })

    if (kind === caddy) {
      test('closes open connections when its configuration is reloaded', async () => {
        // Caddy 2.6.2 does not mask the close frame that it sends to the application, so that may be reported as a
        // fault.
        const [before, after] = [await startApp(start, { options: { onError: () => {} } }), await startApp(start)]
        const proxy = await startProxy(kind, before.port)
        const ended = closed((await visit(proxy.tls, '/chat')).socket)
        await proxy.reload(after.port)
        await ended
        expect(await welcome(await visit(proxy.tls, '/chat'))).toMatchObject({ port: after.port })
      })
      return
    }

    test('keeps open connections during a reload, until the application closes them', async () => {
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

    // One second instead of the page's hour, and of nginx's default of a minute.
    const short = (): string => swap(configOf(kind), ' 1h', ' 1s')

    test('keeps clients that the heartbeat pings within its idle timeout', async () => {
      const { port } = await startApp(start, { options: { heartbeat: { intervalMs: 250 } } })
      const { plain } = await startProxy(kind, port, short())
      const { socket } = await visit(plain, '/silent')
      expect(await Promise.race([isCut(socket), hearsPings(socket, 6)])).toBe('lives')
    })

    test('without a heartbeat, cuts a silent client after its idle timeout, but not one that sends', async () => {
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
