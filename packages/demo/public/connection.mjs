const subprotocol = 'chat.v1'
const firstDelayMs = 1_000
const longestDelayMs = 30_000

/** A connection that lasted this long counts as good: after it, reconnecting starts with the shortest delay again. */
const stableMs = 5_000

/**
 * A WebSocket that reconnects. It dispatches `state` (`connecting`, `online`, or `waiting` with the time of the next
 * attempt), `message`, and `refused` if the handshake got no 101.
 */
export class Connection extends EventTarget {
  #url
  #socket
  #attempt = 0
  #retryTimer
  #stableTimer

  constructor() {
    super()
    window.addEventListener('online', () => this.retry())
    // Browsers delay the timers of hidden pages.
    document.addEventListener('visibilitychange', () => !document.hidden && this.retry())
  }

  /** Connects to a URL, and closes the previous connection. */
  open(url) {
    this.close()
    this.#url = url
    this.#attempt = 0
    this.#connect()
  }

  /** Sends a message. Returns false if there is no open connection. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  /** Connects now instead of waiting. */
  retry() {
    if (this.#retryTimer !== undefined) this.#connect()
  }

  /** Closes the connection for good. */
  close() {
    this.#stopTimers()
    const socket = this.#socket
    this.#socket = undefined
    socket?.close(1000)
  }

  #connect() {
    this.#stopTimers()
    this.#tell('state', { state: 'connecting' })
    const socket = new WebSocket(this.#url, subprotocol)
    this.#socket = socket
    let opened = false
    socket.addEventListener('open', () => {
      if (socket !== this.#socket) return
      opened = true
      this.#stableTimer = setTimeout(() => {
        this.#attempt = 0
      }, stableMs)
      this.#tell('state', { state: 'online' })
    })
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.#socket) this.#tell('message', JSON.parse(data))
    })
    socket.addEventListener('close', () => {
      if (socket !== this.#socket) return
      this.#wait()
      if (!opened) this.#tell('refused')
    })
  }

  /** Full jitter, so that clients that lost the same server do not all return at the same moment. */
  #wait() {
    this.#stopTimers()
    const delay = Math.random() * Math.min(longestDelayMs, firstDelayMs * 2 ** this.#attempt++)
    this.#retryTimer = setTimeout(() => this.#connect(), delay)
    this.#tell('state', { state: 'waiting', until: Date.now() + delay })
  }

  #stopTimers() {
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#stableTimer)
    this.#retryTimer = undefined
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }))
  }
}
