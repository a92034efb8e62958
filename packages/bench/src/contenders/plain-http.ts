import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { answerPlain, listen } from './endpoint.ts'

/** `node:http` without WebSockets, for the HTTP tax. */
export async function start(): Promise<Server> {
  return listen(createServer(answerPlain))
}
