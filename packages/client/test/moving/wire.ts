import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A network between a client and a server, which can fail in the ways that networks do. */
export interface Wire {
  readonly port: number
  /** How many opening handshakes of WebSockets have passed, or have tried to. */
  readonly handshakes: number
  /** Whether whoever connects is disconnected. */
  isDown: boolean
  /** Whether handshakes of WebSockets do not pass, and all else does. */
  isHttpOnly: boolean
  /** Whether nothing passes from the server to the client. */
  isHeld: boolean
  /** Where the server listens. */
  target: number
  /** Waits for the next handshake. */
  handshake(): Promise<void>
  /** Ends all connections. */
  cut(): void
}

const running = new Map<Wire, Server>()
afterEach(async () => {
  for (const [wire, server] of running) {
    running.delete(wire)
    wire.isDown = true
    const closed = once(server, 'close')
    server.close()
    wire.cut()
    await closed
  }
})

export async function openWire(target: number): Promise<Wire> {
  const sockets = new Set<Socket>()
  let handshakes = 0
  let waiting: (() => void)[] = []
  const server = createServer((client) => {
    keep(client)
    client.once('data', (first) => {
      const isHandshake = /^upgrade: websocket/im.test(String(first))
      if (isHandshake) {
        handshakes++
        const resolves = waiting
        waiting = []
        for (const resolve of resolves) resolve()
      }
      if (wire.isDown || (isHandshake && wire.isHttpOnly)) {
        client.destroy()
        return
      }
      const upstream = keep(connect(wire.target, '127.0.0.1'))
      upstream.write(first)
      client.on('data', (chunk) => upstream.write(chunk)).on('close', () => upstream.destroy())
      upstream.on('data', (chunk) => wire.isHeld || client.write(chunk)).on('close', () => client.destroy())
    })
  })
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const wire: Wire = {
    port: (server.address() as AddressInfo).port,
    get handshakes() {
      return handshakes
    },
    isDown: false,
    isHttpOnly: false,
    isHeld: false,
    target,
    handshake: () => new Promise((resolve) => waiting.push(resolve)),
    cut() {
      for (const socket of sockets) socket.destroy()
    }
  }
  running.set(wire, server)
  return wire
}
