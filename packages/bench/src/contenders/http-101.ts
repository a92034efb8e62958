import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { answerPlain, isAllowed, listen, subprotocol } from './endpoint.ts'
import { echoFrames, writeSwitching } from './floor.ts'
import { refuse } from './refuse.ts'

/** A floor: `node:http`, a hand-written 101, and the least code that echoes frames. */
export async function start(): Promise<Server> {
  const server = createServer(answerPlain)
  server.on('upgrade', (req, rawSocket) => {
    rawSocket.on('error', ignore)
    if (!isAllowed(req) || req.headers['sec-websocket-protocol'] !== subprotocol) return refuse(rawSocket)
    writeSwitching(rawSocket, req.headers['sec-websocket-key'] ?? '')
    echoFrames(rawSocket)
  })
  return listen(server)
}

function ignore(): void {}
