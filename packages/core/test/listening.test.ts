import http from 'node:http'
import https from 'node:https'
import { certificate, closed, connectClient, loopback, openRaw, testOnBoth } from '@oneport/test-kit'
import { acceptWebSocket, type Dispatch } from '../src/index.ts'
import { type Served, serve, stopAll } from './server.ts'

afterEach(stopAll)

const echo: Dispatch = (req, res) =>
  acceptWebSocket(req, res, (socket) => socket.on('message', (data) => socket.send(String(data))))

const makers: [string, () => Promise<http.Server>][] = [
  ['node:http', async () => http.createServer()],
  ['node:https', async () => https.createServer(await certificate())]
]

describe.each(makers)('%s', (_name, make) => {
  /** Connects at each address, and checks that the servers close all connections. */
  async function endsBoth(all: readonly Served[], close: () => Promise<unknown>) {
    const targets = loopback.map((host, index) => ({ ...(all[index] ?? (all[0] as Served)).target, host }))
    const ends: Promise<{ code: number }>[] = []
    for (const target of targets) {
      const { socket, next } = await connectClient(target, '/')
      socket.send(target.host)
      expect(await next()).toBe(target.host)
      ends.push(closed(socket))
    }
    await close()
    expect((await Promise.all(ends)).map(({ code }) => code)).toEqual([1001, 1001])
    for (const target of targets) await expect(openRaw(target)).rejects.toThrow('ECONNREFUSED')
  }

  const closing = ({ server }: Served) => new Promise((resolve) => server.close(resolve))

  testOnBoth('accepts handshakes at both loopback addresses on one dual-stack server, and closes them', async () => {
    const served = await serve(echo, {}, await make(), '::')
    await endsBoth([served], () => closing(served))
  })

  testOnBoth('accepts handshakes on a server for each loopback address with one application', async () => {
    const both = [await serve(echo, {}, await make(), '127.0.0.1'), await serve(echo, {}, await make(), '::1')]
    await endsBoth(both, () => Promise.all(both.map(closing)))
  })
})
