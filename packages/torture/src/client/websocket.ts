import { WebSocket } from 'ws'
import { deflate } from './deflate.ts'
import { judgeStatus, type Transport } from './visit.ts'

/** Close codes that a client may see when something breaks. RFC 6455 §7.4.1. */
const passing = [1001, 1005, 1006, 1012, 1013]

/** Connects over a WebSocket. */
export const visitByWebSocket: Transport = (port, visitor) => {
  const url = `ws://127.0.0.1:${port}/topics?client=${visitor.name}`
  const socket = new WebSocket(url, 'oneport.topics.1', {
    perMessageDeflate: visitor.name.endsWith('0') && deflate,
    handshakeTimeout: visitor.answerMs
  })
  const ask = (topic: string): void => {
    visitor.ask(topic)
    socket.send(`subscribe ${visitor.sinceOf(topic)} ${topic}`)
  }
  socket.on('open', () => {
    for (const topic of visitor.wanted) ask(topic)
  })
  socket.on('message', (data: Buffer, isBinary) => visitor.hear(isBinary ? data : data.toString()))
  socket.on('unexpected-response', (_request, response) => {
    judgeStatus(visitor, response.statusCode ?? 0, 'for a handshake')
    socket.terminate()
  })
  // Otherwise the connection was reset.
  socket.on('error', ({ message }) => {
    if (message.includes('timed out')) visitor.trouble(`no answer to a handshake in ${visitor.answerMs} ms`)
  })
  const ended = new Promise<void>((resolve) => {
    socket.on('close', (code, reason) => {
      if (!passing.includes(code)) visitor.trouble(`closed with ${code} ${reason}`)
      resolve()
    })
  })
  return {
    by: 'websocket',
    ended,
    publish: ({ topic, id, payload }) => {
      if (socket.readyState !== WebSocket.OPEN) return false
      const header = `publish ${id} ${topic}\n`
      socket.send(Buffer.isBuffer(payload) ? Buffer.concat([Buffer.from(header), payload]) : header + payload)
      return true
    },
    askAgain: (topic) => {
      if (socket.readyState === WebSocket.OPEN) ask(topic)
    },
    change: (topic) => {
      if (socket.readyState !== WebSocket.OPEN) return
      if (visitor.wanted.includes(topic)) ask(topic)
      else {
        visitor.dismiss(topic)
        socket.send(`unsubscribe ${topic}`)
      }
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.terminate()
  }
}
