/**
 * What the web-platform tests of WebSocket say (https://github.com/web-platform-tests/wpt/tree/master/websockets), as
 * cases of our own that run against any class, in pages and in programs.
 */

export type WebSocketClass = typeof WebSocket

interface Case {
  readonly name: string
  /** Whether it is about the end of a connection, which is not the end of a socket that comes back. */
  readonly isSingle?: boolean
  /** @param base the address of the server, without a path */
  run(Socket: WebSocketClass, base: string): unknown
}

const constants = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const
const handlers = ['onopen', 'onmessage', 'onclose', 'onerror'] as const

function equal(found: unknown, expected: unknown, about = ''): void {
  const [one, other] = [found, expected].map((value) => JSON.stringify(value))
  if (one !== other) throw new Error(`${about} expected ${other}, got ${one}`)
}

function throws(name: string, call: () => unknown): void {
  try {
    call()
  } catch (error) {
    equal((error as Error).name, name, 'the name of what is thrown:')
    return
  }
  throw new Error(`expected a ${name}`)
}

const event = <Type extends keyof WebSocketEventMap>(socket: WebSocket, type: Type): Promise<WebSocketEventMap[Type]> =>
  new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }))

async function opened(Socket: WebSocketClass, url: string, protocols?: string | string[]): Promise<WebSocket> {
  const socket = protocols === undefined ? new Socket(url) : new Socket(url, protocols)
  await event(socket, 'open')
  return socket
}

/** Sends something and returns what comes back. */
async function echo(Socket: WebSocketClass, base: string, data: unknown): Promise<unknown> {
  const socket = await opened(Socket, `${base}/echo`)
  socket.binaryType = 'arraybuffer'
  equal(socket.send(data as string), undefined)
  const message = await event(socket, 'message')
  socket.close()
  await event(socket, 'close')
  return message.data instanceof ArrayBuffer ? [...new Uint8Array(message.data)] : message.data
}

const closing = async (Socket: WebSocketClass, base: string, ...args: [number?, string?]): Promise<unknown> => {
  const socket = await opened(Socket, `${base}/echo`)
  socket.close(...args)
  equal(socket.readyState, 2)
  const { code, reason, wasClean } = await event(socket, 'close')
  equal(socket.readyState, 3)
  return { code, reason, wasClean }
}

export const cases: readonly Case[] = [
  {
    name: 'has its constants on the class, the prototype and the instance',
    run(Socket, base) {
      const socket = new Socket(`${base}/echo`)
      for (const place of [Socket, Socket.prototype, socket])
        equal(
          constants.map((name) => place[name]),
          [0, 1, 2, 3]
        )
      socket.close()
    }
  },
  {
    name: 'has attributes and constants that cannot be written',
    run(Socket, base) {
      const socket = new Socket(`${base}/echo`)
      const names = ['url', 'readyState', 'bufferedAmount', 'protocol', 'extensions', ...constants] as const
      const before = names.map((name) => socket[name])
      for (const name of names) Reflect.set(socket, name, 'other')
      for (const name of constants) Reflect.set(Socket, name, 'other')
      equal(
        names.map((name) => socket[name]),
        before
      )
      equal(Socket.OPEN, 1)
      socket.close()
    }
  },
  {
    name: 'has its attributes on the prototype',
    run(Socket) {
      for (const name of [
        'url',
        'readyState',
        'bufferedAmount',
        'protocol',
        'extensions',
        'binaryType',
        'send',
        'close'
      ]) {
        equal(name in Socket.prototype, true, name)
      }
    }
  },
  {
    name: 'is not called without new',
    run: (Socket) => throws('TypeError', () => Reflect.apply(Socket, undefined, ['ws://localhost/']))
  },
  ...['ws://', 'ftp://localhost/', 'mailto:a@b', 'ws://localhost/#part'].map((url) => ({
    name: `does not take the address ${url}`,
    run: (Socket: WebSocketClass) => throws('SyntaxError', () => new Socket(url))
  })),
  ...[['a b'], ['a', 'a'], 'ä', ['a,b'], ['a\u0000'], ['a{b']].map((protocols) => ({
    name: `does not take the subprotocols ${JSON.stringify(protocols)}`,
    run: (Socket: WebSocketClass, base: string) => throws('SyntaxError', () => new Socket(`${base}/echo`, protocols))
  })),
  {
    name: 'has a normalized address',
    run(Socket, base) {
      const socket = new Socket(`${base.replace('ws', 'WS')}/a/../ä?b`)
      equal(socket.url, `${base}/%C3%A4?b`)
      socket.close()
    }
  },
  {
    name: 'takes an URL object',
    run(Socket, base) {
      const socket = new Socket(new URL(`${base}/echo`))
      equal(socket.url, `${base}/echo`)
      socket.close()
    }
  },
  {
    name: 'has the subprotocol that the server chose, from a list and alone',
    async run(Socket, base) {
      for (const protocols of [['other', 'chat'], 'chat']) {
        const socket = new Socket(`${base}/echo`, protocols)
        equal(socket.protocol, '')
        await event(socket, 'open')
        equal([socket.protocol, typeof socket.extensions], ['chat', 'string'])
        socket.close()
        await event(socket, 'close')
      }
    }
  },
  {
    name: 'goes from CONNECTING over OPEN and CLOSING to CLOSED',
    async run(Socket, base) {
      const socket = new Socket(`${base}/echo`)
      const states = [socket.readyState]
      const { type, target, bubbles, cancelable } = await event(socket, 'open')
      equal([type, target === socket, bubbles, cancelable], ['open', true, false, false])
      states.push(socket.readyState)
      socket.close()
      states.push(socket.readyState)
      await event(socket, 'close')
      equal([...states, socket.readyState], [0, 1, 2, 3])
    }
  },
  {
    name: 'gets binary messages as it says',
    async run(Socket, base) {
      const socket = await opened(Socket, `${base}/echo`)
      equal(socket.binaryType, 'blob')
      socket.send(new Uint8Array([1, 2, 3]))
      const first = await event(socket, 'message')
      equal([first.data instanceof Blob, first.data.size], [true, 3])
      socket.binaryType = 'arraybuffer'
      Reflect.set(socket, 'binaryType', 'other')
      equal(socket.binaryType, 'arraybuffer')
      socket.send(new Uint8Array([1, 2, 3, 4]))
      const second = await event(socket, 'message')
      equal([second.data instanceof ArrayBuffer, second.data.byteLength], [true, 4])
      socket.close()
    }
  },
  ...[undefined, 1, ';', true].map((value) => ({
    name: `has no handler after it was set to ${value}`,
    run(Socket: WebSocketClass, base: string) {
      const socket = new Socket(`${base}/echo`)
      for (const name of handlers) {
        equal([name in socket, socket[name]], [true, null])
        socket[name] = () => {}
        Reflect.set(socket, name, value)
        equal(socket[name], null)
      }
      socket.close()
    }
  })),
  {
    name: 'calls a handler where it was first set, with the socket as `this`',
    run(Socket, base) {
      const socket = new Socket(`${base}/echo`)
      const calls: string[] = []
      socket.addEventListener('error', () => calls.push('first'))
      socket.onerror = () => calls.push('replaced')
      socket.addEventListener('error', () => calls.push('second'))
      const handler = function (this: unknown): void {
        calls.push(this === socket ? 'handler' : 'wrong this')
      }
      socket.onerror = handler
      equal(socket.onerror === handler, true)
      socket.dispatchEvent(new Event('error'))
      socket.onerror = null
      socket.dispatchEvent(new Event('error'))
      socket.onerror = handler
      socket.dispatchEvent(new Event('error'))
      const expected = [
        ['first', 'handler', 'second'],
        ['first', 'second'],
        ['first', 'second', 'handler']
      ]
      equal(calls, expected.flat())
      socket.close()
    }
  },
  {
    name: 'calls handlers for events that others dispatch',
    run(Socket, base) {
      const socket = new Socket(`${base}/echo`)
      const calls: string[] = []
      for (const name of handlers) {
        socket[name] = ({ type }: Event) => calls.push(type)
        socket.dispatchEvent(new Event(name.slice(2)))
      }
      equal(calls, ['open', 'message', 'close', 'error'])
      for (const name of handlers) socket[name] = null
      socket.close()
    }
  },
  {
    name: 'dispatches a MessageEvent',
    async run(Socket, base) {
      const socket = await opened(Socket, `${base}/echo`)
      socket.send('text')
      const message = await event(socket, 'message')
      equal(message instanceof MessageEvent, true)
      const { data, origin, lastEventId, source, ports, bubbles, cancelable } = message
      equal(
        { data, origin, lastEventId, source, ports, bubbles, cancelable },
        {
          ...{ data: 'text', origin: new URL(base).origin, lastEventId: '', source: null, ports: [] },
          ...{ bubbles: false, cancelable: false }
        }
      )
      equal(Reflect.set(message, 'data', 'other') && message.data === 'other', false)
      socket.close()
    }
  },
  {
    name: 'dispatches a CloseEvent that cannot be changed',
    async run(Socket, base) {
      const socket = await opened(Socket, `${base}/echo`)
      socket.close(1000, 'done')
      const close = await event(socket, 'close')
      equal(close instanceof CloseEvent, true)
      for (const name of ['code', 'reason', 'wasClean']) Reflect.set(close, name, 'other')
      equal([close.code, close.reason, close.wasClean], [1000, 'done', true])
      equal([close.bubbles, close.cancelable], [false, false])
    }
  },
  {
    name: 'does not send while it connects',
    async run(Socket, base) {
      const socket = new Socket(`${base}/echo`)
      throws('InvalidStateError', () => socket.send('early'))
      await event(socket, 'open')
      socket.close()
    }
  },
  ...[
    ['text', 'text'],
    ['', ''],
    ['å å 𐑾 \u0000', 'å å 𐑾 \u0000'],
    ['a\ud800b', 'a\ufffdb'],
    [null, 'null'],
    [undefined, 'undefined'],
    [1.5, '1.5'],
    ['x'.repeat(65_537), 'x'.repeat(65_537)]
  ].map(([data, expected]) => ({
    name: `sends the text ${String(JSON.stringify(data)).slice(0, 20)}`,
    run: async (Socket: WebSocketClass, base: string) => equal(await echo(Socket, base, data), expected)
  })),
  {
    name: 'sends buffers, views of them, and blobs',
    async run(Socket, base) {
      const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])
      equal(await echo(Socket, base, bytes.buffer), [1, 2, 3, 4, 5, 6, 7, 8])
      equal(await echo(Socket, base, bytes.subarray(2, 4)), [3, 4])
      equal(await echo(Socket, base, new DataView(bytes.buffer, 6)), [7, 8])
      equal(await echo(Socket, base, new Uint16Array(bytes.buffer, 2, 1)), [3, 4])
      equal(await echo(Socket, base, new Blob([bytes])), [1, 2, 3, 4, 5, 6, 7, 8])
      equal(await echo(Socket, base, new ArrayBuffer(0)), [])
    }
  },
  {
    name: 'counts what waits to be sent, in bytes, also after close()',
    async run(Socket, base) {
      const socket = await opened(Socket, `${base}/echo`)
      equal(socket.bufferedAmount, 0)
      socket.send('¥¥¥¥¥¥')
      equal(socket.bufferedAmount, 12)
      await event(socket, 'message')
      equal(socket.bufferedAmount, 0)
      socket.close()
      socket.send('1234')
      equal(socket.bufferedAmount, 4)
      await event(socket, 'close')
      socket.send(new Uint8Array(5))
      equal(socket.bufferedAmount, 9)
    }
  },
  ...[0, 500, 999, 1001, 1005, 1006, 1015, 2999, 5000, 65_536 + 2_000, Number.NaN, null, 'text', '999'].map((code) => ({
    name: `does not close with the code ${code}`,
    async run(Socket: WebSocketClass, base: string) {
      const socket = await opened(Socket, `${base}/echo`)
      throws('InvalidAccessError', () => socket.close(code as number))
      equal(socket.readyState, 1)
      socket.close()
      throws('InvalidAccessError', () => socket.close(code as number))
      await event(socket, 'close')
      throws('InvalidAccessError', () => socket.close(code as number))
    }
  })),
  {
    name: 'does not close with a reason of more than 123 bytes',
    async run(Socket, base) {
      const socket = await opened(Socket, `${base}/echo`)
      for (const reason of ['x'.repeat(124), 'ä'.repeat(62)]) throws('SyntaxError', () => socket.close(1000, reason))
      equal(socket.readyState, 1)
      socket.close(1000, `${'ä'.repeat(61)}x`)
      const { reason } = await event(socket, 'close')
      equal(reason.length, 62)
    }
  },
  ...(
    [
      [[], 1005, ''],
      [[undefined], 1005, ''],
      [[1000], 1000, ''],
      [[1000, ''], 1000, ''],
      [[1000, 'done'], 1000, 'done'],
      [[3000, 'ä'], 3000, 'ä'],
      [[4999, 'a\ud800'], 4999, 'a\ufffd']
    ] as [[number?, string?], number, string][]
  ).map(([args, code, reason]) => ({
    name: `closes with ${JSON.stringify(args)}`,
    run: async (Socket: WebSocketClass, base: string) =>
      equal(await closing(Socket, base, ...args), { code, reason, wasClean: true })
  })),
  {
    name: 'closes while it connects',
    async run(Socket, base) {
      const socket = new Socket(`${base}/silent`)
      const types: string[] = []
      for (const type of ['open', 'close'] as const) socket.addEventListener(type, () => types.push(type))
      socket.close()
      equal(socket.readyState, 2)
      const { code, wasClean } = await event(socket, 'close')
      equal([code, wasClean, socket.readyState, ...types], [1006, false, 3, 'close'])
    }
  },
  {
    name: 'closes once, and not within close()',
    async run(Socket, base) {
      const socket = await opened(Socket, `${base}/echo`)
      let count = 0
      socket.onclose = () => {
        count++
        socket.close()
      }
      socket.close()
      socket.close(3000)
      equal(count, 0)
      await event(socket, 'close')
      await new Promise((resolve) => setTimeout(resolve))
      equal([count, socket.readyState], [1, 3])
    }
  },
  {
    name: 'gets nothing once it closes',
    async run(Socket, base) {
      const socket = await opened(Socket, `${base}/echo`)
      let count = 0
      socket.onmessage = () => count++
      socket.send('unheard')
      socket.close()
      await event(socket, 'close')
      equal(count, 0)
    }
  },
  {
    name: 'is told how the server closes',
    isSingle: true,
    async run(Socket, base) {
      const socket = await opened(Socket, `${base}/bye`)
      const { code, reason, wasClean } = await event(socket, 'close')
      equal([code, reason, wasClean, socket.readyState], [3001, 'bye', true, 3])
    }
  },
  {
    name: 'is told that the server is gone',
    isSingle: true,
    async run(Socket, base) {
      const socket = await opened(Socket, `${base}/gone`)
      socket.send('go')
      const { code, reason, wasClean } = await event(socket, 'close')
      equal([code, reason, wasClean, socket.readyState], [1006, '', false, 3])
    }
  },
  {
    name: 'fails if the handshake is refused',
    isSingle: true,
    async run(Socket, base) {
      const socket = new Socket(`${base}/refused`)
      const types: string[] = []
      for (const type of ['error', 'open'] as const) socket.addEventListener(type, () => types.push(type))
      const { code, wasClean } = await event(socket, 'close')
      equal([code, wasClean, socket.readyState, ...types], [1006, false, 3, 'error'])
      throws('InvalidAccessError', () => socket.close(1001))
      equal(socket.send('nowhere'), undefined)
    }
  }
]
