import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Socket } from 'node:net'
import { handshake, headArrived, openRaw, parseResponse, reset, type Target } from '../parts/raw-client.ts'
import { receive } from '../parts/received.ts'
import { type Conversation, connectClient } from '../parts/ws-client.ts'
import type { Answer, Client, Exchange } from './client.ts'

/** Opens a connection for each handshake. */
export async function makeHttp1Client(target: Target): Promise<Client> {
  const raws: Socket[] = []
  const conversations: Conversation[] = []
  return {
    version: 'HTTP/1.1',
    accepted: 101,
    send: async (path, fields, frames = Buffer.alloc(0)) => {
      const raw = await openRaw(target)
      raws.push(raw)
      raw.write(Buffer.concat([Buffer.from(handshake(path, fields)), frames]))
      return exchangeOn(raw)
    },
    connect: async (path) => {
      const conversation = await connectClient(target, path)
      conversations.push(conversation)
      return conversation
    },
    get: (path) => get(target, path),
    close: () => {
      for (const raw of raws) raw.destroy()
      for (const { socket } of conversations) socket.terminate()
    }
  }
}

function exchangeOn(raw: Socket): Exchange {
  const received = receive(raw)
  return {
    head: async () => parseResponse(await received(headArrived)),
    rest: async (enough = () => false) => parseResponse(await received(enough)).rest,
    write: (frames) => void raw.write(frames),
    reset: () => reset(raw),
    leave: () => raw.destroy(),
    halfClose: () => Object.assign(raw, { allowHalfOpen: true }).end()
  }
}

async function get({ port, tls = false }: Target, path: string): Promise<Answer> {
  const sent = (tls ? requestTls : request)({ port, path, rejectUnauthorized: false })
  const [response] = (await once(sent.end(), 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of response) body += String(chunk)
  const fields = new Map(Object.entries(response.headersDistinct).map(([name, values = []]) => [name, [...values]]))
  return { status: response.statusCode ?? 0, fields, body }
}
