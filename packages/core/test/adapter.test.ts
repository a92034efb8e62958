import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Application, cases, type Served } from '@oneport/adapter-testsuite'
import { describeOtherClients } from '@oneport/test-kit'
import onHeaders from 'on-headers'
import { acceptWebSocket, attach, isPrintable } from '../src/index.ts'

describe('core', () => {
  for (const { name, run } of cases(serve, { http2: true })) test(name, run)
  describeOtherClients(serve, { http2: true })
})

async function serve(application: Application): Promise<Served> {
  const listener = (req: IncomingMessage, res: ServerResponse) => answer(application, req, res)
  const server = application.createServer((req, res) => void listener(req, res))
  const attachment = attach(server, listener, application.options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, drain: () => attachment.drain() }
}

async function answer(application: Application, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { before, endpoints, fields, lateFields, pages } = application
  const set = (all: Application['fields']) => {
    for (const [name, value] of Object.entries(all)) res.setHeader(name, value)
  }
  set(fields)
  onHeaders(res, () => set(lateFields))
  try {
    await before(req, res)
  } catch (error) {
    const { status = 500, message = 'broken' } = isPrintable(error)
      ? (Object(error) as { status?: number; message?: string })
      : {}
    res.writeHead(status).end(message)
    return
  }
  const endpoint = endpoints.find(({ path }) => path === req.url)
  if (endpoint !== undefined) return acceptWebSocket(req, res, endpoint.options, endpoint.handler)
  const page = pages.find(({ path }) => path === req.url)
  req.resume()
  res.writeHead(page === undefined ? 404 : 200).end(page?.text ?? 'not found')
}
