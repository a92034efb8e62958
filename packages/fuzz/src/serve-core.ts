import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { acceptWebSocket, attach, isWebSocketRequest } from '@oneport/core'
import type { Application, Options } from './application.ts'
import { enter } from './books.ts'
import { endpoints, Refusal } from './endpoints.ts'
import { routes } from './routes.ts'

/** Serves plain `node:http`, without a framework. */
export async function serveCore(options: Options): Promise<Application> {
  const server = createServer((req, res) => {
    listener(req, res).catch(() => res.writeHead(500).end())
  })
  const attachment = attach(server, listener, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, attachment }
}

async function listener(req: IncomingMessage, res: ServerResponse): Promise<void> {
  enter(req, res)
  const [path = ''] = (req.url ?? '').split('?', 1)
  const route = routes.find((one) => one.path === path)
  const endpoint = endpoints.find((one) => one.path === (path.startsWith('/room/') ? '/room/:name' : path))
  req.resume()
  if (route !== undefined) {
    route.serve(res)
    return
  }
  if (endpoint === undefined) {
    const found = path === '/plain'
    res.writeHead(found ? 200 : 404).end(found ? 'plain' : 'not found')
    return
  }
  try {
    if (isWebSocketRequest(req)) await endpoint.before()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    res.writeHead(error.status).end(error.message)
    return
  }
  await acceptWebSocket(req, res, endpoint.options, endpoint.serve)
}
