import 'reflect-metadata'
import type { Server } from 'node:net'
import type { WebSocket } from 'ws'
import { echo } from './echo.ts'
import { chooseSubprotocol, isAllowed, path, plainPath, plainText } from './endpoint.ts'
import { decorateMethod, listenNest } from './nest-server.ts'

/** The Nest team's adapter for `ws`, on Express. Its options go to `ws`, whose `verifyClient` checks the origin. */
export async function start(): Promise<Server> {
  const { Controller, Get } = await import('@nestjs/common')
  const { WebSocketGateway } = await import('@nestjs/websockets')
  const { WsAdapter } = await import('@nestjs/platform-ws')
  class Gateway {
    handleConnection(socket: WebSocket): void {
      echo(socket)
    }
  }
  WebSocketGateway({
    path,
    handleProtocols: chooseSubprotocol,
    verifyClient: (
      { req }: { req: Parameters<typeof isAllowed>[0] },
      done: (isAllowed: boolean, status: number) => void
    ) => done(isAllowed(req), 403)
  })(Gateway)
  class Endpoint {
    plain(): string {
      return plainText
    }
  }
  decorateMethod(Endpoint, 'plain', Get(plainPath))
  Controller()(Endpoint)
  return listenNest({ controllers: [Endpoint], providers: [Gateway] }, (app) => new WsAdapter(app))
}
