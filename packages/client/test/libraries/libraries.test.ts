import { join } from 'node:path'
import { Duplex } from 'node:stream'
import type { WebSocket } from '@oneport/core'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { buildSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { runProgram } from '../program.ts'
import { openSite, type Site } from '../site.ts'

// The programs of the pages run as a user's would, with what the packages of the libraries bring.
jest.setTimeout(30_000)

/** Counts, and tells everyone who waits for the next number. */
class Clock {
  now = 0
  #waiting: (() => void)[] = []

  tick(): void {
    this.now++
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  async *ticks(): AsyncGenerator<number> {
    for (;;) {
      yield this.now
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}

/** How a library is served. */
type Serve = (clock: Clock) => {
  readonly subprotocols?: readonly string[]
  readonly serve: (socket: WebSocket, site: Site) => void
  /** Called after each tick, if the library does not watch the clock itself. */
  readonly publish?: () => void
  /** Called after the test. */
  readonly end?: () => void
}

const libraries: Record<string, Serve> = {
  'graphql-ws': (clock) => {
    const wss = new WebSocketServer({ noServer: true })
    const schema = buildSchema('type Query { now: Int } type Subscription { tick: Int }')
    const subscription = {
      async *tick() {
        for await (const tick of clock.ticks()) yield { tick }
      }
    }
    useServer({ schema, roots: { subscription } }, wss, 0)
    return {
      subprotocols: ['graphql-transport-ws'],
      serve: (socket, site) => wss.emit('connection', socket, site.handshakes.at(-1))
    }
  },

  trpc: (clock) => {
    const wss = new WebSocketServer({ noServer: true })
    const t = initTRPC.create()
    applyWSSHandler({ wss, router: t.router({ tick: t.procedure.subscription(() => clock.ticks()) }) })
    return { serve: (socket, site) => wss.emit('connection', socket, site.handshakes.at(-1)) }
  },

  'y-websocket': (clock) => {
    const { docs, setupWSConnection } = require('@y/websocket-server/utils')
    return {
      serve: (socket, site) => setupWSConnection(socket, site.handshakes.at(-1), { docName: 'notes' }),
      publish() {
        const text = docs.get('notes').getText()
        text.doc.transact(() => {
          text.delete(0, text.length)
          text.insert(0, `${clock.now}`)
        })
      },
      end: () => docs.get('notes').destroy()
    }
  },

  // As much of a Phoenix server as its client needs: https://hexdocs.pm/phoenix/writing_a_channels_client.html.
  phoenix: (clock) => {
    const sockets = new Set<WebSocket>()
    return {
      serve(socket) {
        socket.on('message', (data) => {
          const [join, ref, topic, event] = JSON.parse(String(data))
          socket.send(JSON.stringify([join, ref, topic, 'phx_reply', { status: 'ok', response: {} }]))
          if (event !== 'phx_join') return
          sockets.add(socket)
          socket.send(JSON.stringify([join, null, topic, 'tick', { tick: clock.now }]))
        })
        socket.on('close', () => sockets.delete(socket))
      },
      publish() {
        for (const socket of sockets) socket.send(JSON.stringify([null, null, 'clock', 'tick', { tick: clock.now }]))
      }
    }
  },

  sharedb: (clock) => {
    const ShareDB = require('sharedb')
    const backend = new ShareDB()
    const doc = backend.connect().get('notes', 'first')
    doc.create({ tick: clock.now })
    return {
      serve(socket) {
        const stream = new Duplex({
          objectMode: true,
          read() {},
          write(message, _encoding, done) {
            if (socket.readyState === 1) socket.send(JSON.stringify(message))
            done()
          }
        })
        socket.on('message', (data) => stream.push(JSON.parse(String(data))))
        socket.on('close', () => stream.destroy())
        backend.listen(stream)
      },
      publish: () => doc.submitOp([{ p: ['tick'], na: clock.now - doc.data.tick }])
    }
  }
}

test.each(Object.keys(libraries))('%s goes on after two restarts of the server, with one connection', async (name) => {
  const clock = new Clock()
  const { subprotocols, serve, publish, end } = libraries[name]?.(clock) ?? { serve: () => {} }
  const site: Site = await openSite(subprotocols ? { subprotocols } : {}, (socket) => serve(socket, site))
  const printed = runProgram(join(__dirname, `${name}.mjs`), site.url)
  await site.connection()
  if (name === 'y-websocket') publish?.()
  await printed('0')
  for (const tick of ['1', '2', '3', '4']) {
    if (Number(tick) % 2 === 0) {
      await site.stop()
      const connected = site.connection()
      await site.start()
      await connected
    }
    clock.tick()
    publish?.()
    await printed(tick)
    expect(site.sockets).toHaveLength(1)
  }
  end?.()
})
