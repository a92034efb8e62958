import type { AddressInfo } from 'node:net'
import { acceptWebSocket, wsUpgrade } from '../../src/index.ts'
import { versions } from '../versions.ts'

// process.test.ts starts this program: a process that has not had a request yet.
const express = versions.find(([name]) => name === process.argv[2])?.[1]
if (express === undefined) throw new Error(`expected the name of a version; got ${process.argv[2]}`)

const app = express()
app.use(wsUpgrade())
app.get('/chat', (req, res) => {
  // biome-ignore lint/nursery/noFloatingPromises: nobody looks at the promise, and the process has to outlive it
  acceptWebSocket(req, res, (socket) => socket.send('welcome'))
})
const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('message', () => {
  process.disconnect()
  server.close()
  server.closeAllConnections()
})
