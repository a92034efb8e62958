import 'reflect-metadata'
import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Injectable,
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
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { OneportAdapter, Socket, type WebSocket, WebSocketRoute } from '@oneport/nestjs'
import { tap } from 'rxjs'

const users = new Map([['Bearer secret-of-ada', 'ada']])

@Injectable()
class TokenGuard implements CanActivate {
  canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest()
    request.user = users.get(request.headers.authorization)
    if (request.user !== undefined) return true
    context.switchToHttp().getResponse().header('WWW-Authenticate', 'Bearer')
    throw new UnauthorizedException('A token is needed.')
  }
}

@Injectable()
class ResponseTime implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const start = Date.now()
    const response = context.switchToHttp().getResponse()
    return next.handle().pipe(tap(() => response.header('X-Response-Time', `${Date.now() - start}ms`)))
  }
}

@Injectable()
class Room implements PipeTransform<string, string> {
  transform(name: string) {
    if (name === 'cellar') throw new NotFoundException('There is no room cellar.')
    return name
  }
}

@Controller('chat')
@UseGuards(TokenGuard)
@UseInterceptors(ResponseTime)
class ChatController {
  @WebSocketRoute(':room')
  open(@Socket() socket: WebSocket, @Param('room', Room) room: string, @Req() { user }: { user: string }) {
    socket.send(`Welcome to ${room}, ${user}.`)
    socket.on('message', (data) => socket.send(String(data)))
  }
}

@Module({ controllers: [ChatController] })
class AppModule {}

const framework = process.env.FRAMEWORK === 'fastify' ? new FastifyAdapter() : new ExpressAdapter()
const app = await NestFactory.create(AppModule, framework, { logger: false })
// biome-ignore lint/correctness/useHookAtTopLevel: this is no hook of React
app.useWebSocketAdapter(new OneportAdapter(app, { drain: { code: 1012 } }))
app.use((_req: unknown, res: { setHeader(name: string, value: string): void }, next: () => void) => {
  res.setHeader('Set-Cookie', 'visited=yes; HttpOnly; SameSite=Lax')
  next()
})
await app.listen(process.env.PORT ?? 3000)
process.once('SIGTERM', () => app.close())
