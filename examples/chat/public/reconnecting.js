const firstDelayMs = 500
const longestDelayMs = 30_000

/** After this time a connection was a good one: the next failure starts with the first delay again. */
const stableMs = 5_000

/** Codes that no retry can change: 1000, the server is done; 4400 to 4499, the likes of 4401, the login has ended. */
const isFinal = (code) => code === 1000 || (code >= 4400 && code <= 4499)

/**
 * Opens a WebSocket that comes back when it is lost.
 *
 * `onState` gets `'connecting'`, `'open'`, `'waiting'`, or `'closed'` when there will be no other try.
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

  /** A random part of a delay that doubles: clients that lost the same server don't come back all at once. */
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
    /** Sends a message; false where there is no connection to send it on. */
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

/** A page is not told why a handshake was refused. Over HTTP, the same URL gives the same 401 or 403. */
async function isForbidden(path) {
  try {
    const { status } = await fetch(path)
    return status === 401 || status === 403
  } catch {
    return false
  }
}
