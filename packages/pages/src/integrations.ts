import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { createNetwork, type Network } from '@oneport/testing'
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

/** Cuts the connection of a library on a network of `@oneport/testing`: the library connects again through it. */
async function connectsAgain(program: Program, open: (network: Network) => () => unknown): Promise<void> {
  const network = await createNetwork(program.origin, { headers: { Authorization: 'Ada' } })
  const close = open(network)
  const connection = await network.next()
  connection.cut()
  await network.next()
  await close()
  network.close()
}

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
    await connectsAgain(program, ({ WebSocket }) => {
      const options = { lazy: false, retryWait: async () => {}, onNonLazyError: () => {} }
      const again = createClient({ url: 'ws://app.example/graphql', webSocketImpl: WebSocket, ...options })
      return () => again.dispose()
    })
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
    await connectsAgain(program, ({ WebSocket }) => {
      const again = createWSClient({ url: 'ws://app.example/trpc', WebSocket, retryDelayMs: () => 0 })
      return () => again.close()
    })
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
    await connectsAgain(program, ({ WebSocket }) => {
      const options = { WebSocketPolyfill: WebSocket, disableBc: true }
      const provider = new WebsocketProvider('ws://app.example/docs', 'letter', new Doc(), options)
      return () => {
        provider.destroy()
        provider.doc.destroy()
      }
    })
    expect(await statusOf(program, '/docs/letter', 'https://evil.example')).toBe(403)
  },

  'integration-hocuspocus': async (program) => {
    const open = (user: string) => {
      const websocketProvider = new HocuspocusProviderWebsocket({
        url: `ws://localhost:${program.port}/collaboration`,
        WebSocketPolyfill: webSocketWith({ Authorization: user })
      })
      const document = new Doc()
      const provider = new HocuspocusProvider({ name: 'letter', document, websocketProvider })
      provider.attach()
      const synced = new Promise<void>((resolve) => provider.on('synced', () => resolve()))
      return { provider, websocketProvider, synced, text: document.getText('text') }
    }
    const ada = open('Ada')
    await ada.synced
    const bob = open('Bob')
    await bob.synced
    const heard = new Promise<void>((resolve) => bob.text.observe(() => resolve()))
    ada.text.insert(0, 'Dear Bob. ')
    await heard
    expect(bob.text.toString()).toBe('Dear Bob. Opened by Ada.')
    for (const { provider, websocketProvider } of [ada, bob]) {
      provider.destroy()
      websocketProvider.destroy()
    }
    await connectsAgain(program, ({ WebSocket }) => {
      const options = { WebSocketPolyfill: WebSocket, delay: 1, minDelay: 1 }
      const provider = new HocuspocusProviderWebsocket({ url: 'ws://app.example/collaboration', ...options })
      return () => provider.destroy()
    })
    expect(await statusOf(program, '/collaboration', 'https://evil.example')).toBe(403)
  },

  'sharing-peerjs': async (program) => {
    const [own, peer] = [await program.connect('/chat'), await program.connect('/peers/peerjs?key=peerjs&id=a&token=b')]
    expect([await own.next(), JSON.parse(await peer.next()).type]).toEqual(['Welcome.', 'OPEN'])
    expect(await (await program.fetch('/peers/')).json()).toMatchObject({ name: 'PeerJS Server' })
    expect((await program.connect('/unknown')).status).toBe(404)
    expect(await statusOf(program, '/chat', 'https://evil.example')).toBe(403)
    expect(await statusOf(program, '/peers/peerjs?key=peerjs&id=c&token=d', 'https://evil.example')).toBe(101)
  }
}
