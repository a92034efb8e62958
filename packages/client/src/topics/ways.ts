import { checkNumbers, unexpected } from '../check.ts'
import type { Asked, ReconnectingWebSocketOptions } from '../options.ts'
import type { Desk } from './desk.ts'
import { httpWire } from './http-wire.ts'
import { recall, remember, sessionStore } from './places.ts'
import { websocketWire } from './websocket-wire.ts'
import type { Listener, Wire } from './wire.ts'

/** How to reach the server. */
export type Transport = 'websocket' | 'stream' | 'poll'

const all: readonly Transport[] = ['websocket', 'stream', 'poll']

/** How to reach the server: options of {@link ReconnectingWebSocketOptions}, and which ways may be used. */
export interface WaysOptions extends ReconnectingWebSocketOptions {
  /**
   * What may be used: a WebSocket, a stream of events over plain HTTP, and polls if a proxy keeps that back. By default
   * all three; the first of the last two in the list is tried first.
   */
  readonly transports?: readonly Transport[] | undefined
}

/** @throws TypeError if an option is wrong */
export function checkWays({ transports = all, ...options }: WaysOptions): void {
  checkNumbers({ ...options, ...options.heartbeat, ...options.queue })
  const expected = `transports: expected some of ${all.join(', ')}`
  if (!Array.isArray(transports) || transports.length === 0) throw unexpected(expected, transports)
  for (const each of transports) if (!all.includes(each)) throw unexpected(expected, each)
}

/** Tells whether the topics work, and over what; with an error if they never will. */
export type OnState = (state: 'connecting' | 'open' | 'closed', transport?: Transport, error?: Error) => void

const upgradeRequired = 426

/** After how many failures in a row plain HTTP is tried beside WebSocket. */
const mostMisses = 2

/** How long a page that is loaded remembers that WebSocket has failed while HTTP has worked, in milliseconds. */
const memoryMs = 600_000

/**
 * Connects topics to a server. A WebSocket is tried for as long as it takes; while it fails, the topics go over HTTP.
 * @param name names the server in the storage of the page
 * @returns what ends it
 */
export function openWays(
  desk: Desk,
  url: Asked<string | URL>,
  name: string,
  options: WaysOptions,
  onState: OnState
): () => void {
  const { transports = all, token, ...others } = options
  let kind = transports.find((transport) => transport !== 'websocket')
  let socket: Wire | undefined
  let http: Wire | undefined
  let misses = 0
  let isHttpUp = false

  const close = (): void => {
    socket?.close()
    http?.close()
    socket = http = undefined
  }
  const listener: Listener = {
    ask: (wire) => (wire === http ? desk.ask() : []),
    get isWatching() {
      return desk.isWatching
    },
    up(wire) {
      misses = 0
      if (wire === http) {
        remember(memory, key, Date.now())
        onState('open', kind)
        // What works for HTTP may work for WebSocket too.
        if (!isHttpUp) socket?.again()
        isHttpUp = true
      } else {
        http?.close()
        http = undefined
        remember(memory, key, 0)
        desk.use(wire)
        onState('open', 'websocket')
      }
    },
    down(wire) {
      if (wire === http) isHttpUp = false
      // While the topics go over HTTP, it does not matter that WebSocket still fails.
      else if (http !== undefined) return
      onState('connecting')
      if (wire === http) return
      desk.use(undefined)
      if (++misses >= mostMisses) openHttp()
    },
    hear(wire, answer) {
      if (answer !== undefined && wire === (http ?? socket)) desk.hear(answer)
    },
    fail(wire, error) {
      // The topics may be served over one of both only.
      if (wire === http && socket !== undefined) {
        wire.close()
        http = kind = undefined
        desk.use(undefined)
        onState('connecting')
        return
      }
      if (wire === socket && kind !== undefined && (error as { code?: number }).code === upgradeRequired) {
        socket = undefined
        openHttp()
        return
      }
      close()
      desk.close()
      onState('closed', undefined, error)
    }
  }
  const openHttp = (): void => {
    if (kind === undefined || http !== undefined) return
    isHttpUp = false
    const onPoll = (): void => {
      kind = 'poll'
    }
    http = httpWire({ kind, url, token, fetch: options.fetch || globalThis.fetch, onPoll }, listener)
    desk.use(http)
  }
  const memory = sessionStore()
  const key = `${name} http`
  const hasWebSocket = options.webSocket !== undefined || globalThis.WebSocket !== undefined || kind === undefined
  if (transports.includes('websocket') && hasWebSocket) socket = websocketWire(url, { token, ...others }, listener)
  if (socket === undefined || Date.now() - Number(recall(memory, key)) < memoryMs) openHttp()
  return close
}
