import type { Asked, ReconnectingWebSocketOptions } from '../options.ts'
import { ReconnectingWebSocket } from '../reconnecting-websocket.ts'
import { addressOf } from './address.ts'
import { readAnswer } from './answer.ts'
import type { Listener, Wire } from './wire.ts'

/** How long to wait, at most, before a server that has sent nonsense is asked again, in milliseconds. */
const brokenMs = 5_000

/** The topics over a WebSocket. */
export function websocketWire(
  url: Asked<string | URL>,
  options: ReconnectingWebSocketOptions,
  listener: Listener
): Wire {
  const address: typeof url =
    typeof url === 'function' ? async (attempt) => addressOf(await url(attempt), 'ws') : addressOf(url, 'ws')
  const socket = new ReconnectingWebSocket(address, 'oneport.topics.1', {
    // Browsers do not show pings.
    heartbeat: { ping: 'ping' },
    ...options
  })
  let isBroken = false
  let isClosed = false
  let timer: ReturnType<typeof setTimeout> | undefined
  socket.binaryType = 'arraybuffer'
  const wire: Wire = {
    subscribe: (topic, since) => socket.send(`subscribe ${since} ${topic}`),
    unsubscribe: (topic) => socket.send(`unsubscribe ${topic}`),
    watch: (topic) => socket.send(`presence ${topic}`),
    publish(message) {
      const { id, topic, data } = message
      message.begin()
      const header = `publish ${id} ${topic}\n`
      if (typeof data === 'string') socket.send(header + data)
      else {
        const first = new TextEncoder().encode(header)
        const all = new Uint8Array(first.length + data.length)
        all.set(first)
        all.set(data, first.length)
        socket.send(all)
      }
    },
    again: () => socket.reconnect(),
    close() {
      isClosed = true
      clearTimeout(timer)
      socket.close()
    }
  }
  socket.onstatechange = ({ state, error }) => {
    if (state === 'waiting') listener.down(wire)
    else if (state === 'closed' && !isClosed) listener.fail(wire, error ?? new Error('The server is done.'))
  }
  socket.onopen = () => {
    isBroken = false
    listener.up(wire)
  }
  socket.onmessage = ({ data }) => {
    if (isBroken) return
    try {
      listener.hear(wire, readAnswer(data))
    } catch {
      isBroken = true
      listener.down(wire)
      timer = setTimeout(wire.again, Math.random() * brokenMs)
    }
  }
  return wire
}
