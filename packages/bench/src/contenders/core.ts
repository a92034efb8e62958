import { createServer, type RequestListener } from 'node:http'
import type { Server } from 'node:net'
import { acceptWebSocket, attach } from '@oneport/core'
import { echo } from './echo.ts'
import { answerPlain, listen, path, type Settings } from './endpoint.ts'
import { oneportOptions } from './oneport-options.ts'

/** Oneport without a framework. */
export async function start(settings: Settings): Promise<Server> {
  const listener: RequestListener = (req, res) =>
    req.url === path ? acceptWebSocket(req, res, echo) : answerPlain(req, res)
  const server = createServer(listener)
  attach(server, listener, oneportOptions(settings))
  return listen(server)
}
