// The newest http-proxy-middleware at /api, which handles every handshake: `node http-proxy-middleware.js first|later
// …`.
import { once } from 'node:events'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import express from 'express'
import { WebSocketServer } from 'ws'
import { converse } from './application.ts'
import { Program } from './program.ts'

async function main(): Promise<void> {
  const { createProxyMiddleware } = await import('http-proxy-middleware-4')
  const upstream = http.createServer((_req, res) => res.end('upstream\n'))
  const sockets = new WebSocketServer({ server: upstream, path: '/api/theirs' })
  sockets.on('connection', (socket) => converse(socket as never, 'theirs'))
  await once(upstream.listen(0, '127.0.0.1'), 'listening')
  const program = new Program()
  // Through the middleware, a handshake would be proxied a second time, as a request.
  program.dispatch = program.own
  const server = http.createServer(program.listener)
  program.begin(server)
  const proxy = createProxyMiddleware({
    target: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    ws: true,
    on: {
      proxyReqWs: (proxyReq) => program.decides(answered(proxyReq))
    }
  })
  const app = express()
  app.use('/api', proxy as never)
  program.others = app
  await program.serve(server)
}

/** Resolves when the other server's answer has arrived, which is short. */
async function answered(proxyReq: ClientRequest): Promise<void> {
  const answer = await new Promise<IncomingMessage | undefined>((resolve) => {
    proxyReq.once('response', resolve)
    proxyReq.once('upgrade', () => resolve(undefined))
  })
  if (answer === undefined) return
  while (!answer.complete) await setImmediate()
  await setImmediate()
}

void main()
