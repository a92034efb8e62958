import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { finished, Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a listener for `upgrade` does with the raw socket some time after the event. */
export interface Act {
  readonly name: string
  run(socket: Socket, head: Buffer, req: IncomingMessage): unknown
  /** What a client reads without Oneport until its connection ends; undefined if the act does not end it. */
  readonly alone?: string
  /** The act lasts as long as the connection. */
  readonly waits?: true
}

const unauthorized = 'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** Each of these ends a connection that has no other owner. */
export const refusals: readonly Act[] = [
  {
    name: 'writes a 401 and destroys it',
    run: (socket) => {
      socket.write(unauthorized)
      socket.destroy()
    },
    alone: unauthorized
  },
  {
    name: 'writes a 401 and destroys it once that is written',
    run: (socket) => {
      socket.write(unauthorized)
      socket.destroySoon()
    },
    alone: unauthorized
  },
  {
    name: 'writes a 401 and destroys it in the callback',
    run: (socket) => socket.write(unauthorized, () => socket.destroy()),
    alone: unauthorized
  },
  {
    name: 'writes a 401 in two pieces, corked, and ends it',
    run: (socket) => {
      socket.cork()
      socket.write(unauthorized.slice(0, 20))
      socket.write(unauthorized.slice(20))
      socket.uncork()
      socket.end()
    },
    alone: unauthorized
  },
  { name: 'ends it', run: (socket) => socket.end(), alone: '' },
  { name: 'ends it with a 401', run: (socket) => socket.end(unauthorized), alone: unauthorized },
  {
    name: 'ends it with a 401 and destroys it on finish, as ws does',
    run: (socket) => {
      socket.once('finish', socket.destroy)
      socket.end(unauthorized)
    },
    alone: unauthorized
  },
  { name: 'destroys it', run: (socket) => socket.destroy(), alone: '' },
  { name: 'destroys it with an error', run: (socket) => socket.destroy(new Error('not mine')), alone: '' },
  { name: 'resets it', run: (socket) => socket.resetAndDestroy(), alone: '' },
  {
    name: 'pipes the answer of another server into it',
    run: (socket) => Readable.from([unauthorized]).pipe(socket),
    alone: unauthorized
  },
  {
    name: 'gives it a response and answers 401 with that',
    run: (socket, _head, req) => {
      const res = new ServerResponse(req)
      res.assignSocket(socket)
      res.on('finish', () => socket.destroy())
      res.sendDate = false
      res.writeHead(401, ['Connection', 'close', 'Content-Length', '0']).end()
    },
    alone: unauthorized
  },
  {
    name: 'gives it a timeout that destroys it',
    run: async (socket) => {
      socket.setTimeout(10, () => socket.destroy())
      await sleep(30)
    },
    alone: ''
  },
  {
    name: 'waits for its end to destroy it, as pipeline() and for await do',
    run: async (socket) => {
      for await (const _chunk of socket) break
    },
    waits: true
  },
  {
    name: 'ends it after reading the first bytes',
    run: (socket) => {
      socket.once('data', () => socket.end(unauthorized))
    }
  }
]

/** None of these ends a connection. */
export const touches: readonly Act[] = [
  { name: 'listens for its data', run: (socket) => socket.on('data', () => {}) },
  { name: 'reads it when it is readable', run: (socket) => socket.on('readable', () => socket.read()) },
  {
    name: 'pipes it to a writable',
    run: (socket) => socket.pipe(new Writable({ write: (_chunk, _encoding, done) => done() }))
  },
  {
    name: 'pipes it to a writable that is never ready',
    run: (socket) => socket.pipe(new Writable({ write: () => {} }))
  },
  { name: 'pauses it', run: (socket) => socket.pause() },
  { name: 'resumes it', run: (socket) => socket.resume() },
  { name: 'puts a head back', run: (socket) => socket.unshift(Buffer.from('bytes of a head')) },
  { name: 'corks it', run: (socket) => socket.cork() },
  { name: 'writes nothing to it', run: (socket) => socket.write('') },
  { name: 'removes all listeners', run: (socket) => socket.removeAllListeners() },
  { name: 'removes the listeners for data', run: (socket) => socket.removeAllListeners('data') },
  {
    name: 'removes the listeners for its end',
    run: (socket) => socket.removeAllListeners('end').removeAllListeners('close')
  },
  {
    name: 'sets Nagle, keep-alive and no timeout',
    run: (socket) => socket.setNoDelay(false).setKeepAlive(true, 0).setTimeout(0)
  },
  { name: 'unrefs it', run: (socket) => socket.unref() },
  { name: 'waits until it is finished', run: (socket) => finished(socket, () => {}) },
  {
    name: 'gives it a response that never answers',
    run: (socket, _head, req) => new ServerResponse(req).assignSocket(socket)
  }
]
