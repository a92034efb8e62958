/** How long a message takes on the slow train, each way, in milliseconds. */
const latencyMs = 800

/** On the slow train there is a tunnel every so many milliseconds, and it lasts so long. */
const [tunnelEveryMs, tunnelMs] = [10_000, 3_000]

/** What each network lets through. */
const passes = {
  normal: { fetch: true, webSocket: true },
  blocked: { fetch: true, webSocket: false },
  slow: { fetch: true, webSocket: true },
  airplane: { fetch: false, webSocket: false }
}

/**
 * The network of this page, which can be made worse. It gives the client a `fetch` and a class of WebSockets that block,
 * delay and cut what goes through them. It dispatches `change`.
 */
class Network extends EventTarget {
  mode = 'normal'
  isInTunnel = false
  /** What is under way: each can be cut. */
  #links = new Set()
  #timer

  /** A class of WebSockets that connect through this network. */
  WebSocket = socketsOf(this)

  /** As the `fetch` of the page. */
  fetch = async (input, init = {}) => {
    const controller = new AbortController()
    const { signal } = controller
    const link = { kind: 'fetch', cut: () => controller.abort(failed()) }
    const given = init.signal
    if (given?.aborted) throw given.reason
    given?.addEventListener('abort', () => controller.abort(given.reason), { once: true })
    signal.addEventListener('abort', () => this.#links.delete(link))
    this.#links.add(link)
    try {
      await this.travel()
      if (!this.lets('fetch')) throw failed()
      const response = await fetch(input, { ...init, signal })
      await this.travel()
      return this.#through(response, () => this.#links.delete(link))
    } catch (error) {
      this.#links.delete(link)
      throw error
    }
  }

  /** Changes the network. What does not get through any more is cut. */
  use(mode) {
    this.mode = mode
    clearTimeout(this.#timer)
    this.#leaveTunnel()
    if (mode === 'slow') this.#timer = setTimeout(() => this.#enterTunnel(), tunnelEveryMs)
  }

  /** Whether a `fetch` or a `webSocket` gets through. */
  lets(kind) {
    return !this.isInTunnel && passes[this.mode][kind]
  }

  /** Keeps what is under way, so that it can be cut. */
  add(link) {
    this.#links.add(link)
  }

  delete(link) {
    this.#links.delete(link)
  }

  /** When something that is sent now arrives. */
  get arrival() {
    return performance.now() + (this.mode === 'slow' ? latencyMs : 0)
  }

  /** Waits until something that is sent now has arrived. */
  travel() {
    return until(this.arrival)
  }

  #enterTunnel() {
    this.isInTunnel = true
    this.#timer = setTimeout(() => {
      this.#leaveTunnel()
      this.#timer = setTimeout(() => this.#enterTunnel(), tunnelEveryMs)
    }, tunnelMs)
    this.#changed()
  }

  #leaveTunnel() {
    this.isInTunnel = false
    this.#changed()
  }

  #changed() {
    for (const link of [...this.#links]) if (!this.lets(link.kind)) link.cut()
    this.dispatchEvent(new Event('change'))
    if (this.lets('fetch')) tryNow()
  }

  /** A response whose body takes its time too. */
  #through(response, onEnd) {
    const { body, headers, status, statusText } = response
    if (body === null) {
      onEnd()
      return response
    }
    const delayed = new TransformStream({
      transform: async (chunk, controller) => {
        await this.travel()
        controller.enqueue(chunk)
      },
      flush: onEnd
    })
    return new Response(body.pipeThrough(delayed), { headers, status, statusText })
  }
}

/** Has the client connect now instead of waiting: the event that browsers dispatch when the network is back. */
export function tryNow() {
  window.dispatchEvent(new Event('online'))
}

const failed = () => new TypeError('Failed to fetch')

/** Waits until a time, if it is not over. */
async function until(time) {
  const ms = time - performance.now()
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
}

const [connecting, open, closing, closed] = [0, 1, 2, 3]

/** Runs tasks in their order, each when what is sent now has arrived. */
function lane(network) {
  let last = Promise.resolve()
  return (task) => {
    const { arrival } = network
    last = last.then(() => until(arrival)).then(task)
  }
}

function socketsOf(network) {
  /** A WebSocket in a network: as much of the interface as the client needs. */
  return class {
    kind = 'webSocket'
    url
    readyState = connecting
    protocol = ''
    extensions = ''
    bufferedAmount = 0
    binaryType = 'blob'
    onopen = null
    onmessage = null
    onerror = null
    onclose = null
    /** The WebSocket of the browser; undefined while the network has not let it through. */
    #socket
    #toServer = lane(network)
    #toPage = lane(network)

    constructor(url, protocols) {
      this.url = url
      network.add(this)
      this.#toServer(() => this.#connect(protocols))
    }

    send(data) {
      this.#toServer(() => this.#socket?.readyState === open && this.#socket.send(data))
    }

    close(code, reason) {
      if (this.readyState >= closing) return
      const wasOpen = this.readyState === open
      this.readyState = closing
      if (wasOpen) this.#toServer(() => this.#socket.close(code, reason))
      else this.#toPage(() => this.cut())
    }

    /** Ends the connection without a closing handshake, as far as the page can tell. */
    cut() {
      if (this.readyState === closed) return
      const socket = this.#socket
      if (socket !== undefined) {
        socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null
        // Browsers print a warning about a WebSocket that is closed before it is open.
        if (socket.readyState === connecting) socket.onopen = () => socket.close()
        else socket.close()
      }
      this.#end({ code: 1006, reason: '', wasClean: false }, true)
    }

    #connect(protocols) {
      if (this.readyState !== connecting) return
      if (!network.lets(this.kind)) {
        this.#toPage(() => this.cut())
        return
      }
      const socket = new WebSocket(this.url, protocols)
      this.#socket = socket
      socket.binaryType = this.binaryType
      socket.onopen = () => this.#toPage(() => this.#open())
      socket.onmessage = ({ data, origin }) =>
        this.#toPage(() => this.readyState === open && this.onmessage?.({ data, origin }))
      socket.onclose = ({ code, reason, wasClean }) =>
        this.#toPage(() => this.#end({ code, reason, wasClean }, !wasClean))
    }

    #open() {
      if (this.readyState !== connecting) return
      this.readyState = open
      this.protocol = this.#socket.protocol
      this.extensions = this.#socket.extensions
      this.onopen?.({})
    }

    #end(closing, isFailure) {
      if (this.readyState === closed) return
      this.readyState = closed
      network.delete(this)
      if (isFailure) this.onerror?.({})
      this.onclose?.(closing)
    }
  }
}

/** The network of this page. */
export const network = new Network()
