import { handshake, headArrived, sendRaw, takePrinted } from '@oneport/test-kit'
import { acceptWebSocket, HandshakeError } from '../../src/index.ts'
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
  expect(takePrinted()).toEqual([`oneport: fault in protocol: ${line}`])
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
    expect.stringMatching(/^oneport: fault in handler: RangeError: too many(?:\n {4}at [^\n]+){2,}$/)
  ])
})

test('security: a line break in a message or a detail does not begin an entry', () => {
  logFault(new Error('a\noneport: b\r\n\n  c'), context)
  logRefusal(new HandshakeError('HANDSHAKE_ORIGIN', 'm', 'a\noneport: b'))
  const [fault = '', refusal] = takePrinted()
  expect(fault.split('\n').slice(0, 4)).toEqual([
    'oneport: fault in handler: Error: a',
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
