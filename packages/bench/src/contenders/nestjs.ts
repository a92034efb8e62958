import 'reflect-metadata'
import type { Server } from 'node:net'
import { OneportAdapter, Socket, type WebSocket, WebSocketRoute } from '@oneport/nestjs'
import { echo } from './echo.ts'
import { path, plainPath, plainText, type Settings } from './endpoint.ts'
import { decorateMethod, listenNest } from './nest-server.ts'
import { oneportOptions } from './oneport-options.ts'

/** Oneport's adapter for NestJS, on Express. */
export async function start(settings: Settings): Promise<Server> {
  const { Controller, Get } = await import('@nestjs/common')
  class Endpoint {
    open(socket: WebSocket): void {
      echo(socket)
    }
    plain(): string {
      return plainText
    }
  }
  decorateMethod(Endpoint, 'open', WebSocketRoute(path), Socket())
  decorateMethod(Endpoint, 'plain', Get(plainPath))
  Controller()(Endpoint)
  return listenNest({ controllers: [Endpoint] }, (app) => new OneportAdapter(app, oneportOptions(settings)))
}
