import { handshake, headArrived, sendRaw, takePrinted } from '@oneport/test-kit'
import { acceptWebSocket, type EndpointOptions, HandshakeError } from '../../src/index.ts'
import { logFault, logRefusal } from '../../src/reports/log.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

const context = {
  phase: 'handler',
  request: { id: undefined, path: '/', address: undefined },
  socket: undefined
} as const

test.each<[what: string, frame: number[], line: string]>([
  ['an unmasked frame', [0x81, 0x01, 0x61], 'RangeError: Invalid WebSocket frame: MASK must be set'],
  ['a reserved bit', [0xc1, 0x81, 0, 0, 0, 0, 0x61], 'RangeError: Invalid WebSocket frame: RSV1 must be clear'],
  ['text that is not UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff], 'Error: Invalid WebSocket frame: invalid UTF-8 sequence']
])('regression: %s from a peer put a stack in the log; now it is one short line', async (_what, frame, line) => {
  const { target, attachment } = await serve((req, res) => acceptWebSocket(req, res, () => {}))
  const raw = await open(target)
  raw.write(handshake('/'))
  await read(raw, headArrived)
  const [socket] = attachment.connections
  raw.write(Buffer.from(frame))
  // `once` of node:events would listen for the error.
  await new Promise((resolve) => socket?.on('close', resolve))
  expect(takePrinted()).toEqual([`oneport: fault in protocol at "/": ${line}`])
})

test.each<[options: EndpointOptions, frames: number[][], line: string]>([
  [{ maxPayloadBytes: 1 }, [[0x82, 0x82, 0, 0, 0, 0, 1, 2]], 'RangeError: Max payload size exceeded (maxPayloadBytes)'],
  [
    { ws: { maxFragments: 1 } },
    [
      [0x02, 0x81, 0, 0, 0, 0, 1],
      [0x80, 0x81, 0, 0, 0, 0, 1]
    ],
    'RangeError: Too many message fragments (ws.maxFragments, ws.maxBufferedChunks)'
  ]
])('regression: a peer that exceeded %j was logged without its path and that option', async (options, frames, line) => {
  const { target, attachment } = await serve((req, res) => acceptWebSocket(req, res, options, () => {}))
  const raw = await open(target)
  raw.write(handshake('/chat?token=secret'))
  await read(raw, headArrived)
  const [socket] = attachment.connections
  raw.write(Buffer.from(frames.flat()))
  await new Promise((resolve) => socket?.on('close', resolve))
  expect(takePrinted()).toEqual([`oneport: fault in protocol at "/chat": ${line}`])
})

test('regression: a string that a listener threw was logged without the path', async () => {
  const { target } = await serve((req, res) =>
    acceptWebSocket(req, res, (socket) => {
      socket.on('message', () => {
        throw 'a string'
      })
    })
  )
  await sendRaw(target, Buffer.from(`${handshake('/chat?token=secret')}\x81\x80\0\0\0\0`, 'latin1'), (text) =>
    text.includes('\x88')
  )
  expect(takePrinted()).toEqual(['oneport: fault in listener at "/chat": a string'])
})

test('security: a path in the log is escaped and truncated', () => {
  const path = `/a\noneport: b\x1b[2J${'c'.repeat(10_000)}`
  logFault('fault', { ...context, request: { ...context.request, path } })
  const [line = ''] = takePrinted()
  expect(line).toMatch(/^oneport: fault in handler at "\/a\\noneport: b\\u001b\[2Jc+"…: fault$/)
  expect(line.length).toBeLessThan(200)
})

test('survives an error whose code throws', () => {
  const error = Object.defineProperty(new Error('a'), 'code', {
    get: () => {
      throw new Error('b')
    }
  })
  logFault(error, { ...context, phase: 'protocol' })
  expect(takePrinted()).toEqual(['oneport: fault in protocol at "/": Error: a'])
})

test('security: what a peer sends cannot write its own line, nor terminal control characters', async () => {
  const { target } = await serve((req, res) => acceptWebSocket(req, res, () => {}))
  await sendRaw(target, handshake('/', { Origin: 'https://a\x9b31m\x85oneport: fault' }), headArrived)
  const [line = ''] = takePrinted()
  expect(line).toContain('origin "https://a')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(line.replaceAll('\n    ', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
})

test.each([
  ['\r', '\\u000d'],
  ['\x1b[2J', '\\u001b[2J'],
  ['\x9b', '\\u009b'],
  ['\0', '\\u0000'],
  ['\u2028', '\\u2028'],
  ['\u202e', '\\u202e']
])('security: %j in a message or a detail is written as %s', (character, written) => {
  logFault(new Error(`a${character}b`), context)
  logFault(`a${character}b`, context)
  logRefusal(new HandshakeError('HANDSHAKE_ORIGIN', 'm', `a${character}b`))
  const printed = takePrinted()
  expect(printed).toHaveLength(3)
  for (const line of printed) expect(line).toContain(`a${written}b`)
})

test('a fault is logged with its stack, one call per line', () => {
  logFault(new RangeError('too many'), context)
  expect(takePrinted()).toEqual([
    expect.stringMatching(/^oneport: fault in handler at "\/": RangeError: too many(?:\n {4}at [^\n]+){2,}$/)
  ])
})

test('security: a line break in a message or a detail does not begin an entry', () => {
  logFault(new Error('a\noneport: b\r\n\n  c'), context)
  logRefusal(new HandshakeError('HANDSHAKE_ORIGIN', 'm', 'a\noneport: b'))
  const [fault = '', refusal] = takePrinted()
  expect(fault.split('\n').slice(0, 4)).toEqual([
    'oneport: fault in handler at "/": Error: a',
    '    oneport: b',
    '    c',
    expect.stringMatching(/^ {4}at /)
  ])
  expect(fault).not.toMatch(/\n(?! {4}\S)/)
  expect(refusal).toBe('oneport: HANDSHAKE_ORIGIN: a\n    oneport: b')
})

test('survives a stderr whose write throws', () => {
  const write = jest.spyOn(process.stderr, 'write').mockImplementation(() => {
    throw new Error('closed')
  })
  expect(() => logFault(new Error('a'), context)).not.toThrow()
  expect(write).toHaveBeenCalledTimes(1)
})
