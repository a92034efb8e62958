import { ReconnectingWebSocket } from '@oneport/client'

const url = process.argv[2]
const tokenUrl = url.replace(/^ws/, 'http').replace('/socket', '/token')
let token

const socket = new ReconnectingWebSocket(url, 'news.v1', {
  async token({ refused, signal }) {
    if (refused || token === undefined) {
      const response = await fetch(tokenUrl, { method: 'POST', signal })
      if (!response.ok) throw new Error(`No token: ${response.status}`)
      token = await response.text()
    }
    return token
  }
})
socket.onmessage = ({ data }) => console.log(data)
