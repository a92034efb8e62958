import { once } from 'node:events'
import http2, { type ServerHttp2Session } from 'node:http2'
import { describeBrowsers } from '@oneport/test-kit'
import { acceptWebSocket, attach, type Http2Dispatch } from '../src/index.ts'

describeBrowsers('node:http2', async ({ tls, page, paths, endpoint, handler }) => {
  const listener: Http2Dispatch = (req, res) => {
    if (req.url === '/') return res.writeHead(200, { 'Content-Type': 'text/html' }).end(page)
    if (paths.includes(req.url)) return acceptWebSocket(req, res, endpoint, handler)
    return res.writeHead(404).end('Nothing here.')
  }
  const server = http2.createSecureServer({ ...tls, allowHTTP1: true }, listener)
  const attachment = attach(server, listener)
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => sessions.add(session))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    server,
    close: async () => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      await attachment.drain()
      // Browsers keep idle ones open.
      for (const session of sessions) session.destroy()
      await closed
    }
  }
})
