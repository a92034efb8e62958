// tinyws, which gives every raw socket a response and asks the application: `node tinyws.js first|later claims|none`.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { converse } from './application.ts'
import { Program } from './program.ts'

async function main(): Promise<void> {
  const { tinyws } = await import('tinyws')
  const program = new Program()
  program.dispatch = program.own
  const server = http.createServer(program.listener)
  program.begin(server)
  const handler = async (
    req: IncomingMessage & { ws?: () => Promise<unknown> },
    res: ServerResponse
  ): Promise<void> => {
    // Like an application that queries its database first.
    await sleep(5)
    if (req.url === '/theirs' && req.ws !== undefined) converse((await req.ws()) as never, 'theirs')
    else res.writeHead(404, { Connection: 'close' }).end('not here\n')
  }
  tinyws({ handler: (req, res) => program.decides(handler(req, res)) } as Parameters<typeof tinyws>[0], server)
  await program.serve(server)
}

void main()
