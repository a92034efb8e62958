import type { IncomingMessage } from 'node:http'
import { type ClientOptions, WebSocket as WsWebSocket } from 'ws'
import { keepCookies } from './cookies.ts'
import { openTransport, settingsFor } from './handshake.ts'
import { after } from './line.ts'
import type { ResolvedOptions } from './options.ts'
import { showValue } from './show.ts'
import type { Way } from './target.ts'
import type { WebSocket } from './websocket.ts'

/** A class with the interface of `WebSocket`: that of browsers, and that of `ws`. */
export interface WebSocketClass {
  /**
   * Connects.
   * @param url its host is sent as `Host`, but always leads to the application; a path alone is one of the application
   * @param protocols subprotocols to offer; by default those of the network
   * @param options options of `ws`; header fields are added to those of the network
   * @throws SyntaxError for an invalid URL or subprotocol
   */
  new (url: string | URL, protocols?: string | string[], options?: object): WebSocket
  /** The `readyState` before the connection is open. */
  readonly CONNECTING: 0
  /** The `readyState` of an open connection. */
  readonly OPEN: 1
  /** The `readyState` during the closing handshake. */
  readonly CLOSING: 2
  /** The `readyState` of a connection that has ended. */
  readonly CLOSED: 3
}

/** The type of the global `WebSocket`, where there is one: code for browsers expects it. */
export type GlobalWebSocketClass = typeof globalThis extends Record<'WebSocket', infer Class> ? Class : unknown

/**
 * Makes a class of WebSockets for a network.
 * @param base the URL that paths are relative to
 * @param wayTo returns the way of one handshake, to a path, for the URL that the client has asked for
 */
export function webSocketClass(
  base: string,
  options: ResolvedOptions,
  wayTo: (path: string, url: string) => Way
): GlobalWebSocketClass & WebSocketClass {
  return class WebSocket extends WsWebSocket {
    constructor(
      given: string | URL,
      protocols: string | string[] | ClientOptions = options.subprotocols,
      more: ClientOptions = {}
    ) {
      // Like `ws`, which takes its options in place of the subprotocols too.
      const isOffer = typeof protocols === 'string' || Array.isArray(protocols)
      const [offered, settings] = isOffer ? [protocols, more] : [options.subprotocols, protocols ?? {}]
      if (!URL.canParse(String(given), base))
        throw new SyntaxError(`WebSocket: expected a URL; got ${showValue(given)}`)
      const url = new URL(String(given), base)
      const way = wayTo(url.pathname + url.search, url.href)
      const { headers, ...others } = settingsFor(url, way, options)
      super(url, offered, {
        ...others,
        ...settings,
        headers: { ...headers, ...settings.headers },
        agent: undefined as never,
        handshakeTimeout: 0,
        createConnection: (() => openTransport(way, options)) as unknown as NonNullable<
          ClientOptions['createConnection']
        >
      })
      // In browsers, an error without a listener is not fatal.
      this.on('error', () => {})
      this.once('upgrade', ({ headers }: IncomingMessage) => keepCookies(options.agent?.jar, way.url, headers))
      this.once('open', () => way.opened?.())
      // `ws` leaves this to the raw socket, which has no timeouts in memory.
      const { handshakeTimeout } = settings
      if (!handshakeTimeout) return
      const stop = after(handshakeTimeout, () => this.terminate())
      this.once('open', stop).once('close', stop)
    }
  } as unknown as GlobalWebSocketClass & WebSocketClass
}
