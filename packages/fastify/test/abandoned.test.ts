import type { Socket } from 'node:net'
import { handshake, headArrived, reset, sendRaw, signal } from '@oneport/test-kit'
import { echo, makeApp, open, start } from './harness.ts'

const ends: [name: string, end: (raw: Socket) => unknown][] = [
  ['a FIN', (raw) => raw.destroy()],
  ['a half-close', (raw) => raw.resume().end()],
  ['a reset', reset]
]

describe('a handshake that its client abandons', () => {
  test.each(ends)(
    'with %s while a hook runs triggers onRequestAbort, as for an ordinary GET, and frees its place',
    async (_how, end) => {
      let goOn = signal()
      const codes: string[] = []
      const order: Record<string, string[]> = {}
      const note = (url: string, what: string) => {
        order[url] ??= []
        order[url].push(what)
      }
      let asked = signal()
      let aborted = signal()
      const app = await makeApp(
        {},
        { handshakeTimeoutMs: Infinity, maxPendingHandshakes: 1, onRefused: ({ code }) => void codes.push(code) }
      )
      app.addHook('onRequestAbort', async ({ url }) => {
        note(url, 'onRequestAbort')
        aborted.give()
      })
      app.addHook('onResponse', async ({ url }) => note(url, 'onResponse'))
      const preHandler = async ({ url, raw }: { url: string; raw: NodeJS.EventEmitter }) => {
        for (const name of ['aborted', 'close']) raw.on(name, () => note(url, name))
        asked.give()
        await goOn.given
      }
      app.get('/chat', { websocket: true, preHandler }, echo)
      app.get('/page', { preHandler }, async () => 'page')
      app.get('/open', { websocket: true }, echo)
      const target = await start(app)

      for (const bytes of ['GET /page HTTP/1.1\r\nHost: a\r\n\r\n', handshake('/chat')]) {
        ;[asked, aborted, goOn] = [signal(), signal(), signal()]
        const raw = await open(target)
        raw.write(bytes)
        await asked.given
        await end(raw)
        await aborted.given
        // The place is freed before the hook has finished.
        expect(app.websockets.stats().pending).toBe(0)
        expect(codes).toEqual(bytes.includes('/chat') ? ['HANDSHAKE_ABORTED'] : [])
        expect((await sendRaw(target, handshake('/open'), headArrived)).status).toBe(101)
        goOn.give()
        await new Promise(setImmediate)
      }
      expect(order['/page']).toContain('onRequestAbort')
      expect(order['/chat']).toEqual(order['/page'])
      expect(app.websockets.stats().refused).toEqual({ HANDSHAKE_ABORTED: 1 })
      expect(codes).toEqual(['HANDSHAKE_ABORTED'])
    }
  )
})
