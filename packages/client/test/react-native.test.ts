import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import type { ReconnectingWebSocket } from '@oneport/client'
import * as shim from 'event-target-shim'
import { WebSocket } from 'ws'
import { openSite } from './site.ts'

const script = readFileSync(join(__dirname, '../dist/oneport.min.js'), 'utf8')

/** A global object that has as little as that of React Native: no classes of events, `DOMException` or `location`. */
const bare = { AbortController, Blob, Math, URL, WebSocket, clearTimeout, fetch, queueMicrotask, setTimeout }

/** Loads the file for `<script>`. */
const load = (globals: object) =>
  (
    runInContext(`${script};oneport`, createContext({ ...bare, ...globals })) as {
      ReconnectingWebSocket: typeof ReconnectingWebSocket
    }
  ).ReconnectingWebSocket

test('works without the classes of a browser, but with event-target-shim', async () => {
  const site = await openSite()
  const { EventTarget, Event } = shim
  const Socket = load({ EventTarget, Event })
  const socket = new Socket(site.url, [], { minDelayMs: 1 })
  const log: string[] = []
  socket.onopen = ({ type }) => log.push(type)
  const closed = new Promise((resolve) => {
    socket.addEventListener('close', ({ code, wasClean }) => {
      log.push(`close ${code} ${wasClean}`)
      if (socket.readyState === 3) resolve(0)
    })
  })
  socket.addEventListener('message', ({ data }) => log.push(`message ${data}`))
  expect(() => socket.send('early')).toThrow('Not connected')
  ;(await site.connection()).terminate()
  const server = await site.connection()
  server.send('hello')
  server.close(4403)
  await closed
  expect(log).toEqual(['open', 'close 1006 false', 'open', 'message hello', 'close 4403 true'])
})

test('says what is missing if there is no WebSocket', () => {
  const { EventTarget, Event } = shim
  const Socket = load({ EventTarget, Event, WebSocket: undefined })
  expect(() => new Socket('ws://localhost')).toThrow('No WebSocket: set options.webSocket')
})
