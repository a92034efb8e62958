import 'reflect-metadata'
import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Module,
  type NestInterceptor,
  NotFoundException,
  Param,
  type PipeTransform,
  Req,
  UnauthorizedException,
  UseGuards,
  UseInterceptors
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { OneportAdapter, Socket, type WebSocket, WebSocketRoute } from '@oneport/nestjs'
import type { Request, Response } from 'express'
import { tap } from 'rxjs'

const users = new Map([['Bearer secret-of-ada', 'ada']])

class TokenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request & { user?: string | undefined }>()
    request.user = users.get(request.headers.authorization ?? '')
    if (request.user !== undefined) return true
    context.switchToHttp().getResponse<Response>().setHeader('WWW-Authenticate', 'Bearer')
    throw new UnauthorizedException('A token is needed.')
  }
}

class Timing implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const start = Date.now()
    const response = context.switchToHttp().getResponse<Response>()
    return next.handle().pipe(tap(() => void response.setHeader('X-Response-Time', `${Date.now() - start}ms`)))
  }
}

class RoomPipe implements PipeTransform<string> {
  transform(room: string): string {
    if (room === 'cellar') throw new NotFoundException('There is no room cellar.')
    return room
  }
}

@Controller('chat')
@UseGuards(TokenGuard)
@UseInterceptors(Timing)
class ChatController {
  @WebSocketRoute(':room')
  open(@Socket() socket: WebSocket, @Param('room', RoomPipe) room: string, @Req() request: Request & { user: string }) {
    socket.send(`Welcome to ${room}, ${request.user}.`)
    socket.on('message', (data) => socket.send(String(data)))
  }
}

@Module({ controllers: [ChatController] })
class AppModule {}

async function start(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: false })
  app.enableShutdownHooks()
  app.use((_request: Request, response: Response, next: () => void) => {
    response.cookie('visited', 'yes', { httpOnly: true, sameSite: 'lax' })
    next()
  })
  // biome-ignore lint/correctness/useHookAtTopLevel: a method of Nest, and no hook of React
  app.useWebSocketAdapter(new OneportAdapter(app, { drain: { code: 1012 } }))
  await app.listen(Number(process.env.PORT))
}

void start()
