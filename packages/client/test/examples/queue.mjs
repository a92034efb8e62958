import { ReconnectingWebSocket } from '@oneport/client'

const url = process.argv[2]

const socket = new ReconnectingWebSocket(url, [], {
  queue: { messages: 50, bytes: 100_000 },
  heartbeat: { intervalMs: 20_000, timeoutMs: 5_000, ping: 'ping' }
})
socket.send('sent before there is a connection')
