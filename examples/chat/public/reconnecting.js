const firstDelayMs = 500
const longestDelayMs = 30_000

/** After a connection that lasted this long, the delays start from the first one again. */
const stableMs = 5_000

/** No retry helps after these codes: 1000, the server is done; 4400 to 4499, such as 4401, the login has ended. */
const isFinal = (code) => code === 1000 || (code >= 4400 && code <= 4499)

/**
 * Opens a WebSocket that reconnects when it is lost.
 *
 * `onState` gets `'connecting'`, `'open'`, `'waiting'`, or `'closed'` if there will be no other attempt.
 */
export function connect(path, { onMessage, onState }) {
  let socket
  let failures = 0
  let retryTimer
  let stableTimer

  function open() {
    stopTimers()
    onState('connecting')
    const current = new WebSocket(location.origin.replace(/^http/, 'ws') + path)
    socket = current
    let wasOpen = false
    current.onopen = () => {
      wasOpen = true
      stableTimer = setTimeout(() => {
        failures = 0
      }, stableMs)
      onState('open')
    }
    current.onmessage = ({ data }) => {
      if (socket === current) onMessage(data)
    }
    current.onclose = async ({ code }) => {
      const isOver = isFinal(code) || (!wasOpen && (await isForbidden(path)))
      // The page may have closed it meanwhile.
      if (socket !== current) return
      if (isOver) end()
      else wait()
    }
  }

  /** Waits a random part of a delay that doubles, so that clients of the same server don't all return at once. */
  function wait() {
    stopTimers()
    const delayMs = Math.random() * Math.min(longestDelayMs, firstDelayMs * 2 ** failures++)
    retryTimer = setTimeout(open, delayMs)
    onState('waiting')
  }

  function retryNow() {
    if (retryTimer !== undefined && document.visibilityState === 'visible') open()
  }

  function stopTimers() {
    clearTimeout(retryTimer)
    clearTimeout(stableTimer)
    retryTimer = undefined
  }

  function end() {
    stopTimers()
    window.removeEventListener('online', retryNow)
    document.removeEventListener('visibilitychange', retryNow)
    socket = undefined
    onState('closed')
  }

  window.addEventListener('online', retryNow)
  // Browsers slow down the timers of a hidden page.
  document.addEventListener('visibilitychange', retryNow)
  open()

  return {
    /** Sends a message; returns false if there is no connection. */
    send(data) {
      if (socket?.readyState !== WebSocket.OPEN) return false
      socket.send(data)
      return true
    },
    close() {
      socket?.close(1000)
      end()
    }
  }
}

/** A page can't see why a handshake was refused. Over HTTP, the same URL returns the same 401 or 403. */
async function isForbidden(path) {
  try {
    const { status } = await fetch(path)
    return status === 401 || status === 403
  } catch {
    return false
  }
}
