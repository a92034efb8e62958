import { captureRejectionSymbol, errorMonitor } from 'node:events'
import { ListeningWebSocket } from '../../src/life/rejections.ts'

/** Like a runtime whose emitters ignore an `emit` defined by a class. */
class Heard extends ListeningWebSocket {
  readonly rejections: unknown[][] = []

  constructor() {
    super(null as never, undefined, {} as never)
  }

  override [captureRejectionSymbol](...args: unknown[]): void {
    this.rejections.push(args)
  }
}

type Fail = (error: unknown) => void

const broken = new Error('broken')
const settled = () => new Promise(setImmediate)

test.each<[how: string, add: (socket: Heard) => unknown]>([
  ['an async listener', (socket) => socket.on('message', () => Promise.reject(broken))],
  ['one that listens once', (socket) => socket.once('message', () => Promise.reject(broken))],
  [
    'one whose promise is not Node’s',
    // biome-ignore lint/suspicious/noThenProperty: a promise of another library
    (socket) => socket.on('message', () => ({ then: (_ok: unknown, fail: Fail) => fail(broken) }))
  ]
])('reports %s that rejects, with its arguments', async (_how, add) => {
  const socket = new Heard()
  add(socket)
  expect(socket.emit('message', 'text', false)).toBe(true)
  await settled()
  expect(socket.rejections).toEqual([[broken, 'message', 'text', false]])
})

test('reports a listener for error that rejects, and notifies error monitors', async () => {
  const socket = new Heard()
  const monitored: unknown[] = []
  socket.on(errorMonitor as never, (error: unknown) => monitored.push(error))
  socket.on('error', (() => Promise.reject(broken)) as never)
  const error = new Error('first')
  socket.emit('error', error)
  await settled()
  expect([monitored, socket.rejections]).toEqual([[error], [[broken, 'error', error]]])
})

test('throws an error without a listener, as Node does', () => {
  expect(() => new Heard().emit('error', broken)).toThrow('broken')
})

test('calls listeners in order, on the socket, and returns whether there are any', () => {
  const socket = new Heard()
  expect(socket.emit('message')).toBe(false)
  const calls: unknown[] = []
  socket.on('message', function (this: unknown, ...args: unknown[]) {
    calls.push(['first', this === socket, ...args])
  })
  socket.once('message', () => calls.push('once'))
  socket.emit('message', 1, true)
  socket.emit('message', 2, true)
  expect(calls).toEqual([['first', true, 1, true], 'once', ['first', true, 2, true]])
})
