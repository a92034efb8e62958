import type { Server } from 'node:net'
import type { INestApplication, ModuleMetadata, WebSocketAdapter } from '@nestjs/common'
import { listening } from './endpoint.ts'

/** Serves a module of NestJS on Express. The decorators are called as functions, because `src` has none. */
export async function listenNest(
  metadata: ModuleMetadata,
  adapterFor: (app: INestApplication) => WebSocketAdapter | Promise<WebSocketAdapter>
): Promise<Server> {
  const { Module } = await import('@nestjs/common')
  const { NestFactory } = await import('@nestjs/core')
  class App {}
  Module(metadata)(App)
  const app = await NestFactory.create(App, { logger: false })
  app.useWebSocketAdapter(await adapterFor(app))
  await app.init()
  const server: Server = app.getHttpServer()
  await new Promise<void>((resolve) => server.listen(listening, resolve))
  return server
}

/** Decorates a method, and its first parameter, as compiled decorators do. */
export function decorateMethod(
  { prototype }: { readonly prototype: object },
  name: string,
  method: (target: object, name: string, descriptor: PropertyDescriptor) => void,
  parameter?: ParameterDecorator
): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor
  parameter?.(prototype, name, 0)
  method(prototype, name, descriptor)
  Object.defineProperty(prototype, name, descriptor)
}
