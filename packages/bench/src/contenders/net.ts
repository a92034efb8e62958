import { createServer, type Server } from 'node:net'
import { listen, origin } from './endpoint.ts'
import { echoFrames, writeSwitching } from './floor.ts'
import { refuse } from './refuse.ts'

/** A floor: TCP alone. It treats the first bytes as a handshake, and searches them for an origin and a key. */
export async function start(): Promise<Server> {
  const server = createServer({ noDelay: true }, (rawSocket) => {
    rawSocket.on('error', ignore)
    rawSocket.once('data', (request) => {
      const text = request.toString('latin1')
      if (!text.includes(`Origin: ${origin}\r\n`)) return refuse(rawSocket)
      writeSwitching(rawSocket, /Sec-WebSocket-Key: (.*)\r\n/.exec(text)?.[1] ?? '')
      echoFrames(rawSocket)
    })
  })
  return listen(server)
}

function ignore(): void {}
