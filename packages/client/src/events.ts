/**
 * The state of the connection, for a user interface: `connecting` (an attempt is made), `open`, `waiting` (for the next
 * attempt) or `closed` (there will be none).
 */
export type ConnectionState = 'connecting' | 'open' | 'waiting' | 'closed'

/** Why there is no connection. */
export interface ConnectionError extends Error {
  /** The close code, or the HTTP status of a refused handshake, if that was the reason. */
  readonly code?: number
}

/**
 * The end of a connection. `readyState` is then `CONNECTING` if the socket comes back, and `CLOSED` if it does not.
 */
export interface ConnectionCloseEvent extends Event {
  /** The close code; 1006 if there was none. RFC 6455 §7.4. */
  readonly code: number
  /** The close reason, or ''. */
  readonly reason: string
  /** Whether there was a closing handshake. */
  readonly wasClean: boolean
}

/** A connection or an attempt failed. */
export interface ConnectionErrorEvent extends Event {
  /** Why. */
  readonly error: ConnectionError
  /** The message of the error. */
  readonly message: string
}

/** `state` has changed. */
export interface StateChangeEvent extends Event {
  /** As the property of the socket. */
  readonly state: ConnectionState
  /** As the property of the socket. */
  readonly attempt: number
  /** As the property of the socket. */
  readonly nextAttempt: number | undefined
  /** As the property of the socket. */
  readonly error: ConnectionError | undefined
}

/** The events by their names. */
export interface ReconnectingWebSocketEventMap {
  /** There is a connection: the first one, or another. */
  open: Event
  /** A message arrived. */
  message: MessageEvent
  /** A connection has been lost, or the socket is closed. */
  close: ConnectionCloseEvent
  /** A connection or an attempt failed. */
  error: ConnectionErrorEvent
  /** The state has changed. */
  statechange: StateChangeEvent
}

/** What `onopen` and so on can be. */
export type EventHandler<Type extends keyof ReconnectingWebSocketEventMap> = (
  event: ReconnectingWebSocketEventMap[Type]
) => void

/** Who is told about events of a type: a function, or an object with `handleEvent()`. */
export type Listener<Told> = ((event: Told) => void) | ListenerObject<Told> | null

/** An object that is told about events. */
export interface ListenerObject<Told> {
  /** Called with each event. */
  handleEvent(event: Told): void
}

/** As those of `EventTarget`. */
export interface ListenerOptions {
  /** Without a meaning here: there is no tree of targets. */
  readonly capture?: boolean
  /** Whether the listener is removed once it has been called. */
  readonly once?: boolean
  /** Without a meaning here: no event has a default. */
  readonly passive?: boolean
  /** Removes the listener when it is aborted. */
  readonly signal?: AbortSignal
}

/** An `EventTarget` that knows the types of its events. */
export interface TypedEventTarget {
  /** Adds a listener. */
  addEventListener<Type extends keyof ReconnectingWebSocketEventMap>(
    type: Type,
    listener: Listener<ReconnectingWebSocketEventMap[Type]>,
    options?: boolean | ListenerOptions
  ): void
  /** Adds a listener. */
  addEventListener(type: string, listener: Listener<Event>, options?: boolean | ListenerOptions): void
  /** Removes a listener. */
  removeEventListener<Type extends keyof ReconnectingWebSocketEventMap>(
    type: Type,
    listener: Listener<ReconnectingWebSocketEventMap[Type]>,
    options?: boolean | ListenerOptions
  ): void
  /** Removes a listener. */
  removeEventListener(type: string, listener: Listener<Event>, options?: boolean | ListenerOptions): void
  /** Calls the listeners. @returns whether none has prevented the default */
  dispatchEvent(event: Event): boolean
}

/** The class of the platform. */
export const TypedEventTarget = EventTarget as new () => TypedEventTarget

/**
 * Dispatches a new event, of the class that the platform has for it. Node.js 20 has no `CloseEvent` and React Native no
 * `MessageEvent`; there it is an `Event` with the same properties.
 */
export function emit(target: TypedEventTarget, type: keyof ReconnectingWebSocketEventMap, fields: object = {}): void {
  const { CloseEvent, MessageEvent } = globalThis
  const EventClass = { close: CloseEvent, message: MessageEvent }[type as 'close']
  target.dispatchEvent(EventClass ? new EventClass(type, fields) : Object.assign(new Event(type), fields))
}

/** Gives an object the properties `onopen` and so on. A handler keeps its place among the listeners when it is replaced. */
export function defineHandlers(target: TypedEventTarget): void {
  for (const type of ['open', 'message', 'close', 'error', 'statechange']) {
    let handler: ((event: Event) => void) | null = null
    const listener = (event: Event) => handler?.call(target, event)
    Object.defineProperty(target, `on${type}`, {
      get: () => handler,
      set: (value) => {
        handler = typeof value === 'function' ? value : null
        target[handler ? 'addEventListener' : 'removeEventListener'](type, listener)
      }
    })
  }
}
