import { plainPath, plainText } from '../contenders/endpoint.ts'
import { Client } from './client.ts'

export interface Gets {
  /** Over all connections. */
  readonly requests: number
  readonly connections: number
}

const request = Buffer.from(`GET ${plainPath} HTTP/1.1\r\nHost: app.example\r\n\r\n`)

/** Sends ordinary requests on keep-alive connections, one at a time on each. */
export async function sendGets(port: number, { requests, connections }: Gets): Promise<void> {
  const each = Math.ceil(requests / connections)
  await Promise.all(Array.from({ length: connections }, () => ask(new Client(port), each)))
}

async function ask(client: Client, times: number): Promise<void> {
  client.write(request)
  const first = await client.received(`\r\n\r\n${plainText}`)
  if (!first.startsWith('HTTP/1.1 200 ')) throw new Error(`Expected a 200, got: ${first.split('\r\n')[0]}`)
  await new Promise<void>((resolve, reject) => {
    client.closed.then(() => reject(new Error('The server closed a connection that sends requests.')), reject)
    let left = times - 1
    let at = 0
    client.receive = (chunk) => {
      at += chunk.length
      if (at < first.length) return
      // Every answer is as long as the first one.
      at = 0
      if (--left > 0) client.write(request)
      else resolve()
    }
    client.write(request)
  })
  client.reset()
}
