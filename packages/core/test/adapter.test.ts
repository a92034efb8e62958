import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Contract, describeAdapter, fields, type RunningAdapter } from '@oneport/adapter-testsuite'
import { acceptWebSocket, attach } from '../src/index.ts'

describeAdapter('core on node:http', async ({ routes, options, tls }) => {
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    for (const [name, value] of fields) res.setHeader(name, value)
    return answer(routes, req, res)
  }
  const server = tls ? https.createServer(tls, listener) : http.createServer(listener)
  const attachment = attach(server, listener, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    drain: () => attachment.drain(),
    close: () => Promise.all([attachment.drain(), server.listening && once(server.close(), 'close')])
  } satisfies RunningAdapter
})

async function answer(routes: Contract['routes'], req: IncomingMessage, res: ServerResponse): Promise<void> {
  const route = routes.find(({ path }) => path === req.url)
  if (route === undefined) {
    const found = req.url === '/plain'
    req.resume()
    res.writeHead(found ? 200 : 404).end(found ? 'plain' : 'not found')
    return
  }
  try {
    await route.before(req)
  } catch (error) {
    const { status = 500, message } = error as { status?: number; message: string }
    res.writeHead(status).end(message)
    return
  }
  await acceptWebSocket(req, res, route.endpoint, route.handler)
}
