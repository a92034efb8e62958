import { ReconnectingWebSocket } from '@oneport/client'
import { createClient } from 'graphql-ws'

const url = process.argv[2]

const client = createClient({
  url,
  webSocketImpl: class extends ReconnectingWebSocket {
    constructor(url, protocols) {
      super(url, protocols, { maxRetries: 0, heartbeat: { intervalMs: 30_000 } })
    }
  },
  keepAlive: 20_000,
  retryAttempts: Infinity,
  shouldRetry: () => true
})

client.subscribe(
  { query: 'subscription { tick }' },
  { next: ({ data }) => console.log(data.tick), error: console.error, complete: () => console.log('complete') }
)
