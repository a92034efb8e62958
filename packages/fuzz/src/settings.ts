import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'

/** What else differs between the servers under test. */
export interface Setting {
  /** Time limit of handshakes, in milliseconds. Next to other listeners, a 404 waits as long. */
  readonly handshakeTimeoutMs: number
  /** Adds another listener for `upgrade`. */
  share?(server: Server): void
}

const refusal = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'

/** Another listener that acts on every raw socket, sometimes at once and sometimes later. */
const listen =
  (act: (rawSocket: Duplex, req: IncomingMessage, head: Buffer) => void) =>
  (server: Server): void => {
    let times = 0
    server.on('upgrade', (req, rawSocket, head) => {
      rawSocket.on('error', () => {})
      const delayMs = [0, 1, 5, 25][times++ % 4]
      if (delayMs === 0) act(rawSocket, req, head)
      else setTimeout(act, delayMs, rawSocket, req, head)
    })
  }

/** The path that belongs to the listener of `takes`. */
export const theirPath = '/theirs'

function takeTheirPath(server: Server): void {
  const theirs = new WebSocketServer({ noServer: true })
  theirs.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  listen((rawSocket, req, head) => {
    if (req.url === theirPath && !rawSocket.destroyed)
      theirs.handleUpgrade(req, rawSocket, head, (socket) => theirs.emit('connection', socket))
  })(server)
}

export const settings = {
  alone: { handshakeTimeoutMs: 2_000 },
  /** A waiting handshake ends only when its client leaves. */
  'no-deadline': { handshakeTimeoutMs: Infinity },
  ignores: { handshakeTimeoutMs: 2_000, share: listen(() => {}) },
  refuses: {
    handshakeTimeoutMs: 2_000,
    share: listen((rawSocket) => {
      rawSocket.write(refusal)
      rawSocket.destroy()
    })
  },
  destroys: { handshakeTimeoutMs: 2_000, share: listen((rawSocket) => void rawSocket.destroy()) },
  takes: { handshakeTimeoutMs: 2_000, share: takeTheirPath }
} satisfies Record<string, Setting>

export type SettingName = keyof typeof settings

export const settingNames = Object.keys(settings) as SettingName[]

/** Divides connections among settings: half for the first one, the rest evenly for the others. */
export function divide(count: number, names: readonly SettingName[]): [name: SettingName, share: number][] {
  const [first, ...others] = names
  if (first === undefined) return []
  const share = Math.floor(count / 2 / others.length)
  return [
    [first, others.length === 0 ? count : count - share * others.length],
    ...others.map((name): [SettingName, number] => [name, share])
  ]
}
