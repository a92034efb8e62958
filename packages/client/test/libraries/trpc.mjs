import { ReconnectingWebSocket } from '@oneport/client'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'

const url = process.argv[2]

const client = createWSClient({
  url,
  WebSocket: class extends ReconnectingWebSocket {
    constructor(url, protocols) {
      super(url, protocols, { maxRetries: 0 })
    }
  },
  keepAlive: { enabled: true },
  retryDelayMs: (attempt) => Math.random() * Math.min(30_000, 500 * 2 ** attempt)
})

const trpc = createTRPCClient({ links: [wsLink({ client })] })
trpc.tick.subscribe(undefined, { onData: (tick) => console.log(tick), onError: console.error })
