// Vite's dev server as middleware, with hot reload on the same server: `node vite-server.mjs first|second`.
import { mkdtempSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acceptWebSocket, attach } from '@oneport/core'
import { createServer } from 'vite'

const root = mkdtempSync(join(tmpdir(), 'vite-'))
writeFileSync(join(root, 'index.html'), '<script type="module" src="/main.js"></script>')

let vite
const listener = (req, res) => {
  if (req.url === '/echo') {
    return acceptWebSocket(req, res, (socket) => {
      socket.send('ours')
      socket.on('message', (data) => socket.send(`ours: ${data}`))
    })
  }
  return vite.middlewares(req, res, () => res.writeHead(404).end('not here'))
}
const server = http.createServer(listener)
const attachOurs = () => attach(server, listener, { handshakeTimeoutMs: 300 })

if (process.argv[2] === 'first') attachOurs()
vite = await createServer({
  root,
  configFile: false,
  logLevel: 'silent',
  appType: 'custom',
  server: { middlewareMode: true, hmr: { server } },
  optimizeDeps: { noDiscovery: true }
})
if (process.argv[2] === 'second') attachOurs()

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port, token: vite.config.webSocketToken }))
