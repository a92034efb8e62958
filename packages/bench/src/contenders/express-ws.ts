import { once } from 'node:events'
import type { Server } from 'node:net'
import express from 'express'
import expressWs from 'express-ws'
import { chooseSubprotocol, isAllowed, listening, path, plainPath, plainText } from './endpoint.ts'

/**
 * express-ws. Its routes and middleware cannot refuse, because they run after the 101, so `ws` checks the origin. It
 * uses version 7 of `ws`, which passes text messages as strings.
 */
export async function start(): Promise<Server> {
  const { app } = expressWs(express(), undefined, {
    wsOptions: {
      verifyClient: ({ req }, callback) => callback(isAllowed(req), 403),
      handleProtocols: chooseSubprotocol as never
    }
  })
  app.get(plainPath, (_req, res) => res.send(plainText))
  app.ws(path, (socket) => {
    socket.on('error', ignore)
    socket.on('message', (data) => socket.send(data))
  })
  const server = app.listen(listening.port, listening.host, listening.backlog)
  await once(server, 'listening')
  return server
}

function ignore(): void {}
