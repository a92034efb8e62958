import type { EventEmitter } from 'node:events'
import type { ServedSocket, Topics } from '@oneport/topics'
import type { Fault } from './settings.ts'

/** Which message of a connection goes wrong. */
const victim = 5

type Wrapped = Parameters<Topics['serve']>[0]
type Send = (data: string | Buffer, options?: { binary: boolean; compress: boolean }) => void

/** Topics that get one message or answer of each WebSocket wrong, so that a test sees whether the checker finds it. */
export function misbehave(topics: Topics, fault: Fault): Topics {
  return { ...topics, serve: (socket, access) => topics.serve(wrong(socket, fault), access) }
}

function wrong(socket: ServedSocket, fault: Fault): Wrapped {
  const send: Send = socket.send.bind(socket)
  let count = 0
  let held: Parameters<Send> | undefined
  const sendWrongly: Send = (...given) => {
    const [data] = given
    const [kind, , ...topic] = String(data).split('\n', 1)[0]?.split(' ') ?? []
    if (fault === 'mute') {
      // One message is never acknowledged.
      if (kind !== 'published' || ++count !== victim) send(...given)
      return
    }
    if (kind !== 'message') return send(...given)
    const name = topic.join(' ')
    if (held !== undefined) {
      // Two of the same topic change places.
      const isNext = String(held[0]).split('\n', 1)[0]?.endsWith(` ${name}`)
      send(...given)
      if (isNext) send(...held)
      if (isNext) held = undefined
      return
    }
    if (++count !== victim) return send(...given)
    if (fault === 'swap') held = given
    if (fault !== 'double') return
    send(...given)
    send(...given)
  }
  // Without a sender, topics call `send` for each message.
  const wrapped: Wrapped = new Proxy(socket as Wrapped, {
    get: (target, name) => {
      if (name === '_isServer') return undefined
      if (name === 'send') return sendWrongly
      if (name === 'on' || name === 'once') {
        return (event: string, listener: (...given: unknown[]) => void) =>
          (target as unknown as EventEmitter)[name](event, (...given) => listener.apply(wrapped, given))
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
  return wrapped
}
