/** NestJS brings its own version of Fastify; `@oneport/fastify` is installed next to another one. */
import 'reflect-metadata'
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { attachmentOf } from '@oneport/core'
import { wsPlugin } from '@oneport/fastify'
import Fastify, { type FastifyInstance } from 'fastify'

@Controller()
class Page {
  @Get()
  read(): string {
    return 'page'
  }
}

@Module({ controllers: [Page] })
class Root {}

const app = await NestFactory.create<NestFastifyApplication>(Root, new FastifyAdapter())
await app.register(wsPlugin)
await app.register(wsPlugin, { allowedOrigins: ['https://app.example'] })
// @ts-expect-error no option has this name
await app.register(wsPlugin, { allowedOrigin: [] })

const theirs = app.getHttpAdapter().getInstance()
await theirs.register(wsPlugin, { maxConnections: 10 })
// @ts-expect-error the types of Fastify that `@oneport/fastify` extends are those of the other version
theirs.websockets
const fastify = theirs as unknown as FastifyInstance
fastify.get('/chat', { websocket: true }, (socket, request) => socket.send(request.url))
fastify.get('/either', async (_request, reply) => reply.acceptWebSocket((socket) => socket.send('hello')))
await app.listen(3000)
await attachmentOf(app.getHttpServer())?.drain()

const ours = Fastify()
await ours.register(wsPlugin)
ours.get('/chat', { websocket: true }, (socket) => socket.send('hello'))
await ours.websockets.drain()
