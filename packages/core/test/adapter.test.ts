import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { type Application, cases, type Endpoint, type Served, type Subject } from '@oneport/adapter-testsuite'
import { describeOtherClients } from '@oneport/test-kit'
import onHeaders from 'on-headers'
import { agree, answerFault, isPrintable } from '../src/adapter.ts'
import { acceptWebSocket, attach } from '../src/index.ts'

/** Lets a route accept, and sends its response. */
type Accept = (req: IncomingMessage, res: ServerResponse, endpoint: Endpoint) => Promise<void>

const serving =
  (accept: Accept): Subject =>
  async (application): Promise<Served> => {
    const server = application.createServer((req, res) => void answer(application, accept, req, res))
    const attachment = attach(server, application.options)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return { server, drain: () => attachment.drain() }
  }

async function answer(
  { before, endpoints, fields, lateFields, pages }: Application,
  accept: Accept,
  req: IncomingMessage,
  res: ServerResponse
): Promise<void> {
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
  if (endpoint !== undefined) return accept(req, res, endpoint)
  const page = pages.find(({ path }) => path === req.url)
  req.resume()
  res.writeHead(page === undefined ? 404 : 200).end(page?.text ?? 'not found')
}

/** Agrees, and sends the response as a framework would. */
const agreeing =
  (send: (res: ServerResponse) => unknown): Accept =>
  async (req, res, { options, handler }) => {
    try {
      agree(req, options, handler)
    } catch (error) {
      answerFault(req, res, error)
      return
    }
    await send(res)
  }

const atOnce: Accept = (req, res, { options, handler }) => acceptWebSocket(req, res, options, handler)

describe('core', () => {
  for (const { name, run } of cases(serving(atOnce), { http2: true })) test(name, run)
})

// TLS makes no difference to how the head is sent.
describe.each<[how: string, accept: Accept]>([
  ['by an implicit head', agreeing((res) => Object.assign(res, { statusCode: 101 }).end('Switching Protocols'))],
  ['after the route has returned', agreeing((res) => void setImmediate().then(() => res.writeHead(101).end()))]
])('core, where the 101 is sent %s', (_how, accept) => {
  const all = cases(serving(accept), { http2: true })
  for (const { name, run } of all.filter((one) => !one.name.includes('TLS'))) test(name, run)
})

describeOtherClients(serving(atOnce), { http2: true })
