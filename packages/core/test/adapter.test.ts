import { once } from 'node:events'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Contract, describeAdapter, fields, type RunningAdapter } from '@oneport/adapter-testsuite'
import { acceptWebSocket, attach } from '../src/index.ts'

describeAdapter('core', start, { http2: true })

async function start(contract: Contract): Promise<RunningAdapter> {
  const { routes, options } = contract
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    for (const [name, value] of fields) res.setHeader(name, value)
    return answer(routes, req, res)
  }
  const server = makeServer(contract).on('request', (req, res) => void listener(req, res))
  const attachment = attach(server, listener, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = () => new Promise((resolve) => void server.close(resolve))
  return {
    port: (server.address() as AddressInfo).port,
    drain: () => attachment.drain(),
    close: () => Promise.all([attachment.drain(), server.listening && close()])
  }
}

function makeServer({ http2: isHttp2, tls }: Contract): Server {
  if (!isHttp2) return tls ? https.createServer(tls) : http.createServer()
  // To its listeners, a server of HTTP/2 is as one of HTTP/1.1.
  const server: unknown = tls ? http2.createSecureServer({ ...tls, allowHTTP1: true }) : http2.createServer()
  return server as Server
}

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
