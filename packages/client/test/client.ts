import {
  ReconnectingWebSocket,
  type ReconnectingWebSocketEventMap,
  type ReconnectingWebSocketOptions
} from '@oneport/client'
import { WebSocket } from 'ws'

type EventType = keyof ReconnectingWebSocketEventMap

/** A socket that has written down its events, and closes after the test. */
export interface Client {
  readonly socket: ReconnectingWebSocket
  /** Such as `open`, `message hello`, `close 1006` and `statechange waiting`. */
  readonly log: string[]
  /** Waits for the next event of a type. */
  next<Type extends EventType>(type: Type): Promise<ReconnectingWebSocketEventMap[Type]>
}

const open = new Set<ReconnectingWebSocket>()
afterEach(() => {
  for (const socket of open) socket.close()
  open.clear()
})

type Parameters = ConstructorParameters<typeof ReconnectingWebSocket>

/** Delays are short, and nothing asks over HTTP, unless the options say otherwise. */
export function openClient(
  url: Parameters[0],
  options: ReconnectingWebSocketOptions = {},
  protocols: Parameters[1] = []
): Client {
  const socket = new ReconnectingWebSocket(url, protocols, {
    webSocket: WebSocket,
    minDelayMs: 1,
    maxDelayMs: 10,
    spreadMs: 1,
    fetch: false,
    ...options
  })
  open.add(socket)
  const log: string[] = []
  socket.addEventListener('open', () => log.push('open'))
  socket.addEventListener('message', ({ data }) => log.push(`message ${data}`))
  socket.addEventListener('close', ({ code }) => log.push(`close ${code} ${socket.readyState}`))
  socket.addEventListener('error', ({ error }) => log.push(`error ${error.message}`))
  socket.addEventListener('statechange', ({ state }) => log.push(state))
  return {
    socket,
    log,
    next: (type) => new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }))
  }
}
