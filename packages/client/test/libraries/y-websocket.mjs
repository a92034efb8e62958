import { ReconnectingWebSocket } from '@oneport/client'
import { WebsocketProvider } from 'y-websocket'
import { Doc } from 'yjs'

const url = process.argv[2]

const doc = new Doc()
new WebsocketProvider(url, 'notes', doc, {
  WebSocketPolyfill: class extends ReconnectingWebSocket {
    constructor(url, protocols) {
      super(url, protocols, { maxRetries: 0 })
    }
  }
})

const text = doc.getText()
text.observe(() => console.log(text.toString()))
