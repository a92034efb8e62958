import { once } from 'node:events'
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import { beginConnect, bodyOf, openSession, sendConnect, webSocketOn } from '../parts/http2-client.ts'
import type { Target } from '../parts/raw-client.ts'
import { receive } from '../parts/received.ts'
import { converse } from '../parts/ws-client.ts'
import type { Client, Exchange, Head } from './client.ts'

/** Opens one session, with a stream for each handshake. */
export async function makeHttp2Client(target: Target): Promise<Client> {
  const session = await openSession(target)
  return {
    version: 'HTTP/2',
    accepted: 200,
    send: async (path, fields, frames) => {
      const stream = beginConnect(session, path, fields)
      if (frames !== undefined) stream.write(frames)
      return exchangeOn(stream)
    },
    connect: async (path) => {
      const { status, stream } = await sendConnect(session, path)
      if (status !== 200) throw new Error(`The handshake was refused with ${status}.`)
      return converse(webSocketOn(stream))
    },
    get: async (path) => {
      const stream = session.request({ ':path': path })
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders]
      return { ...headOf(headers), body: await bodyOf({ stream }) }
    },
    close: () => session.destroy()
  }
}

function exchangeOn(stream: ClientHttp2Stream): Exchange {
  const response = once(stream, 'response')
  // If the stream is cut off, nothing may be waiting for a response.
  response.catch(() => {})
  const received = receive(stream)
  return {
    head: async () => headOf((await response)[0]),
    rest: (enough = () => false) => received(enough),
    write: (frames) => void stream.write(frames),
    reset: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    leave: () => stream.close(constants.NGHTTP2_CANCEL),
    halfClose: () => stream.end()
  }
}

function headOf({ ':status': status, ...headers }: IncomingHttpHeaders): Head {
  const fields = new Map(Object.entries(headers).map(([name, value = []]) => [name, [value].flat()]))
  return { status: Number(status), fields }
}
