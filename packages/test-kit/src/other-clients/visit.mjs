// Reads visits, one per line, and prints the result of each. With the argument HTTP/2 it connects over HTTP/2.
import { createInterface } from 'node:readline'

const isHttp2 = process.argv[2] === 'HTTP/2'
const own = 'WebSocket' in globalThis ? globalThis : await import('undici')
const { Agent, WebSocket } = isHttp2 ? await import('undici8') : own

for await (const line of createInterface({ input: process.stdin })) {
  const given = JSON.parse(line)
  const dispatcher = isHttp2 ? new Agent({ allowH2: true, useH2c: given.url.startsWith('ws:') }) : undefined
  const result = await visit(given, dispatcher)
  await dispatcher?.destroy()
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

function visit({ url, subprotocols, messages, close }, dispatcher) {
  const socket = new WebSocket(url, { protocols: subprotocols, dispatcher })
  socket.binaryType = 'arraybuffer'
  const echoes = []
  let isOpen = false
  const say = () => {
    const message = messages[echoes.length]
    if (message !== undefined) socket.send(message.text ?? Buffer.from(message.base64, 'base64'))
    else if (close !== undefined) socket.close(...close)
  }
  socket.onopen = () => {
    isOpen = true
    say()
  }
  socket.onmessage = ({ data }) => {
    echoes.push(typeof data === 'string' ? { text: data } : { base64: Buffer.from(data).toString('base64') })
    say()
  }
  return new Promise((resolve) => {
    // Node 22's WebSocket emits no close event when the handshake is refused.
    socket.onerror = () => {
      if (!isOpen) resolve({ refused: true })
    }
    socket.onclose = ({ code, reason }) => {
      const extension = socket.extensions.split(';')[0]
      resolve({ subprotocol: socket.protocol, extension, echoes, code, reason })
    }
  })
}
