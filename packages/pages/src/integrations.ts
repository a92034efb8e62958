import { createTRPCUntypedClient, createWSClient, wsLink } from '@trpc/client'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { Doc } from 'yjs'
import type { Program } from './program.ts'

/** A `WebSocket` class for libraries that open their own, with these fields in each handshake. */
const webSocketWith = (headers: Record<string, string>) =>
  class extends WebSocket {
    constructor(url: string, subprotocols?: string | string[]) {
      super(url, subprotocols, { headers })
    }
  }

const statusOf = async (program: Program, path: string, origin: string, subprotocols: string[] = []): Promise<number> =>
  (await program.connect(path, { origin }, subprotocols)).status

/** Drives each example of docs/integrations.md with the client of its library. */
export const integrations: Record<string, (program: Program) => Promise<void>> = {
  'integration-graphql-ws': async (program) => {
    const client = createClient({
      url: `ws://localhost:${program.port}/graphql`,
      webSocketImpl: webSocketWith({ Authorization: 'Ada' }),
      retryAttempts: 0
    })
    const results: unknown[] = []
    for await (const { data } of client.iterate({ query: 'subscription { countdown(from: 3) }' })) results.push(data)
    for await (const { data } of client.iterate({ query: '{ user }' })) results.push(data)
    expect(results).toEqual([{ countdown: 3 }, { countdown: 2 }, { countdown: 1 }, { user: 'Ada' }])
    await client.dispose()
    const protocol = 'graphql-transport-ws'
    expect(await statusOf(program, '/graphql', program.origin, ['graphql-ws'])).toBe(400)
    expect(await statusOf(program, '/graphql', 'https://evil.example', [protocol])).toBe(403)
  },

  'integration-trpc': async (program) => {
    const wsClient = createWSClient({
      url: `ws://localhost:${program.port}/trpc`,
      WebSocket: webSocketWith({ Authorization: 'Ada' }) as unknown as typeof globalThis.WebSocket
    })
    const client = createTRPCUntypedClient({ links: [wsLink({ client: wsClient })] })
    expect(await client.query('user')).toBe('Ada')
    const news: unknown[] = []
    for await (const item of client.subscription('news', undefined)) news.push(item)
    expect(news).toEqual(['first', 'second'])
    await wsClient.close()
    expect(await statusOf(program, '/trpc', 'https://evil.example')).toBe(403)
    const { next } = await program.connect('/trpc')
    const ended = program.signal('SIGTERM')
    expect(JSON.parse(await next())).toEqual({ id: null, method: 'reconnect' })
    expect(await ended).toBe(0)
  },

  'integration-yjs': async (program) => {
    const open = (name: string) => {
      const doc = new Doc()
      const options = { WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket, disableBc: true }
      const provider = new WebsocketProvider(`ws://localhost:${program.port}/docs`, name, doc, options)
      return { provider, text: doc.getText('text') }
    }
    const [ada, bob] = [open('letter'), open('letter')]
    const synced = (provider: WebsocketProvider) =>
      new Promise<void>((resolve) => (provider.synced ? resolve() : provider.once('sync', () => resolve())))
    await Promise.all([ada, bob].map(({ provider }) => synced(provider)))
    const heard = new Promise<void>((resolve) => bob.text.observe(() => resolve()))
    ada.text.insert(0, 'Dear Bob')
    await heard
    const other = open('other')
    await synced(other.provider)
    expect([bob.text.toString(), other.text.toString()]).toEqual(['Dear Bob', ''])
    for (const { provider } of [ada, bob, other]) {
      provider.destroy()
      provider.doc.destroy()
    }
    expect(await statusOf(program, '/docs/letter', 'https://evil.example')).toBe(403)
  },

  'integration-proxied-path': async (program) => {
    const [own, other] = [await program.connect('/chat'), await program.connect('/other/chat')]
    expect([await own.next(), await other.next()]).toEqual(['Welcome.', 'Welcome to the other one.'])
    expect(await (await program.fetch('/other/page')).text()).toBe('other /other/page')
    expect((await program.connect('/unknown')).status).toBe(404)
    expect(await statusOf(program, '/chat', 'https://evil.example')).toBe(403)
  },

  'integration-behind-proxy': async (program) => {
    const { next } = await program.connect('/chat', { origin: program.origin, family: 4, localAddress: '127.0.0.2' })
    expect(await next()).toMatch(/^Welcome, (?:::ffff:)?127\.0\.0\.2\.$/)
    expect(await statusOf(program, '/chat', 'https://evil.example')).toBe(403)
    const { status, body } = await program.connect('/news')
    expect([status, body]).toEqual([401, 'Log in first.'])
  },

  'integration-change-origin': async (program) => {
    const { next } = await program.connect('/chat', { origin: program.origin })
    const text = await next()
    expect(text).toMatch(/^Welcome, localhost:\d+\.$/)
    expect(text).not.toContain(String(program.port))
    expect(await statusOf(program, '/chat', 'https://evil.example')).toBe(403)
  }
}
