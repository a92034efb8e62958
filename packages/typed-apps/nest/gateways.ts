/** Gateways and routes of `@oneport/nestjs`, on the Fastify that NestJS brings. */
import 'reflect-metadata'
import { Controller, Module, Param, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets'
import {
  attachmentOf,
  type GatewayOptions,
  type GatewayServer,
  HandshakeError,
  OneportAdapter,
  Socket,
  type WebSocket,
  WebSocketRoute
} from '@oneport/nestjs'

@WebSocketGateway<GatewayOptions>({ path: '/chat/:room', subprotocols: ['chat.v1'], classGuards: 'both' })
@UseGuards({ canActivate: () => true })
class Chat {
  @WebSocketServer() server?: GatewayServer

  handleConnection(socket: WebSocket, request: { url: string }, @Param('room') room: string): void {
    socket.send(`${request.url} ${room} ${this.server?.clients.size}`)
  }

  handleDisconnect(socket: WebSocket): void {
    socket.terminate()
  }

  @SubscribeMessage('say')
  say(@MessageBody() data: string): object {
    return { event: 'said', data }
  }
}

// @ts-expect-error no option has this name
WebSocketGateway<GatewayOptions>({ path: '/chat', subprotocol: [] })

@Controller('feeds')
class Feeds {
  @WebSocketRoute(':id', { maxPayloadBytes: 65_536 })
  open(@Socket() socket: WebSocket, @Param('id') id: string): void {
    socket.send(id)
  }

  // @ts-expect-error no option has this name
  @WebSocketRoute('other', { maxPayload: 1 })
  other(@Socket() socket: WebSocket): void {
    socket.close()
  }
}

@Module({ controllers: [Feeds], providers: [Chat] })
class Root {}

const app = await NestFactory.create<NestFastifyApplication>(Root, new FastifyAdapter())
const adapter = new OneportAdapter(app, {
  allowedOrigins: ['same-origin'],
  drain: { code: 1012 },
  messageParser: (data) => JSON.parse(String(data)),
  onRefused: (error) => console.log(error instanceof HandshakeError, error.code)
})
app.useWebSocketAdapter(adapter)
await app.listen(3000)
console.log(adapter.attachment.stats(), attachmentOf(app.getHttpServer())?.connections.size)
