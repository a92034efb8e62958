import type { Socket } from 'node:net'
import { attachmentOf } from '@oneport/core'
import { handshake, headArrived, reset, sendRaw, signal } from '@oneport/test-kit'
import type { Request } from 'express'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'
import { echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

const ends: [name: string, end: (raw: Socket) => unknown][] = [
  ['a FIN', (raw) => raw.destroy()],
  ['a half-close', (raw) => raw.resume().end()],
  ['a reset', reset]
]

describe.each(versions)('A handshake of %s that its client abandons', (_name, express) => {
  const { serve, open } = useServers()

  test.each(ends)(
    'with %s while middleware runs emits events on request and response, and frees its place',
    async (_how, end) => {
      const goOn = signal()
      const asked = signal<Request>()
      const refused = signal<string>()
      const codes: string[] = []
      const events: string[] = []
      const closed = signal()
      const app = express()
      app.use(
        wsUpgrade({
          handshakeTimeoutMs: Infinity,
          maxPendingHandshakes: 1,
          onRefused: ({ code }) => {
            codes.push(code)
            refused.give(code)
          }
        })
      )
      app.use('/slow', async (req, res, next) => {
        for (const name of ['aborted', 'close']) req.on(name, () => events.push(`req ${name}`))
        res.on('close', () => {
          events.push('res close')
          closed.give()
        })
        asked.give(req)
        await goOn.given
        next()
      })
      app.get(['/slow', '/chat'], (req, res) => acceptWebSocket(req, res, echo))
      const served = await serve(app)
      const raw = await open(served)
      raw.write(handshake('/slow'))
      const req = await asked.given
      await end(raw)
      expect(await refused.given).toBe('HANDSHAKE_ABORTED')
      await closed.given
      expect(req.aborted).toBe(true)
      expect(attachmentOf(served.server)?.stats()).toMatchObject({ pending: 0, refused: { HANDSHAKE_ABORTED: 1 } })
      expect((await sendRaw(served, handshake('/chat'), headArrived)).status).toBe(101)
      goOn.give()
      await new Promise(setImmediate)
      expect(events).toEqual(['req aborted', 'res close', 'req close'])
      expect(codes).toEqual(['HANDSHAKE_ABORTED'])
    }
  )
})
