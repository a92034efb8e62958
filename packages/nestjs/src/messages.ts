import type { WsMessageHandler } from '@nestjs/common'
import type { WebSocket } from '@oneport/core'
import { EMPTY, from, fromEvent, isObservable, type Observable, of } from 'rxjs'
import { catchError, filter, map, mergeMap, takeUntil } from 'rxjs/operators'
import { logger } from './binding.ts'
import type { MessageParser } from './options.ts'

type Handlers = readonly WsMessageHandler[]

/** Calls the handler of each message with its data, and sends what it answers, in the format of `WsAdapter`. */
export function answerMessages(
  socket: WebSocket,
  handlers: Handlers,
  transform: (answer: unknown) => Observable<unknown>,
  parse: MessageParser | undefined
): void {
  const byEvent = new Map(handlers.map((handler) => [handler.message, handler]))
  const answer = (data: Parameters<MessageParser>[0]): Observable<string> => {
    const message = parse === undefined ? parseJson(data) : parse(data)
    const handler = message ? byEvent.get(message.event) : undefined
    if (!message || handler === undefined) return EMPTY
    return transform(handler.callback(message.data, message.event)).pipe(
      mergeMap(values),
      filter((value) => value !== undefined && value !== null),
      map((value) => JSON.stringify(value))
    )
  }
  const safely = (data: Parameters<MessageParser>[0]): Observable<string> => {
    try {
      return answer(data).pipe(catchError(logged))
    } catch (error) {
      return logged(error)
    }
  }
  fromEvent(socket, 'message', ({ data }: { data: Parameters<MessageParser>[0] }) => data)
    .pipe(mergeMap(safely), takeUntil(fromEvent(socket, 'close')))
    .subscribe((text) => {
      if (socket.readyState === socket.OPEN) socket.send(text)
    })
}

/** One message must not end the connection, nor the process. */
function logged(error: unknown): Observable<never> {
  logger.error(error)
  return EMPTY
}

/** Messages that are no JSON are ignored, because any client can send them. */
function parseJson(data: Parameters<MessageParser>[0]): ReturnType<MessageParser> {
  try {
    return JSON.parse(String(data))
  } catch {
    return undefined
  }
}

/** The values of a generator, or of an observable in a promise; any other value is one answer. */
function values(answer: unknown): Observable<unknown> {
  if (isObservable(answer)) return answer
  return isGenerator(answer) ? from(answer) : of(answer)
}

function isGenerator(value: unknown): value is AsyncGenerator | Generator {
  const { next } = Object(value) as { next?: unknown }
  return typeof next === 'function' && (Symbol.asyncIterator in Object(value) || Symbol.iterator in Object(value))
}
