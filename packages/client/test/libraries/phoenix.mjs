import { ReconnectingWebSocket } from '@oneport/client'
import { Socket } from 'phoenix'

const url = process.argv[2]

const socket = new Socket(url, {
  transport: class extends ReconnectingWebSocket {
    constructor(url, protocols) {
      super(url, protocols, { maxRetries: 0 })
    }
  },
  reconnectAfterMs: (tries) => Math.random() * Math.min(30_000, 500 * 2 ** tries)
})
socket.connect()

const channel = socket.channel('clock')
channel.on('tick', ({ tick }) => console.log(tick))
channel.join()
