/**
 * What every runtime does with the socket: it connects, loses its connection, comes back, sends what it queued, and the
 * process exits by itself once the socket is closed. Prints what happened.
 */
import { ReconnectingWebSocket } from '@oneport/client'

const [url] = process.argv.slice(2)
const options = { minDelayMs: 1, queue: {}, heartbeat: { intervalMs: 60_000, ping: 'ping' } }
// Node.js 20 has none.
const webSocket = globalThis.WebSocket ?? (await import('ws')).WebSocket

const socket = new ReconnectingWebSocket(() => url, [], { ...options, webSocket })
const log = []
socket.onopen = () => log.push('open')
socket.onclose = ({ code, wasClean }) => {
  log.push(`close ${code} ${wasClean} ${socket.readyState}`)
  if (socket.readyState === socket.CONNECTING) socket.send('queued')
}
socket.onmessage = ({ data }) => {
  log.push(`message ${data}`)
  if (data === 'bye') socket.close(3000, 'done')
}
socket.addEventListener('statechange', ({ state }) => {
  if (state === 'closed') queueMicrotask(() => console.log(JSON.stringify(log)))
})
