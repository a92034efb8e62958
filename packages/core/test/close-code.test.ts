import { CloseCode } from '../src/close-code.ts'

// https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
test.each<[name: keyof typeof CloseCode, code: number]>([
  ['NORMAL', 1000],
  ['GOING_AWAY', 1001],
  ['PROTOCOL_ERROR', 1002],
  ['UNSUPPORTED_DATA', 1003],
  ['NO_STATUS', 1005],
  ['ABNORMAL', 1006],
  ['INVALID_PAYLOAD', 1007],
  ['POLICY_VIOLATION', 1008],
  ['MESSAGE_TOO_BIG', 1009],
  ['MANDATORY_EXTENSION', 1010],
  ['INTERNAL_ERROR', 1011],
  ['SERVICE_RESTART', 1012],
  ['TRY_AGAIN_LATER', 1013],
  ['BAD_GATEWAY', 1014],
  ['TLS_HANDSHAKE', 1015]
])('matches the IANA name of %s', (name, code) => {
  expect(CloseCode[name]).toBe(code)
})

test('names every registered code once, and not 1004, which is reserved', () => {
  const codes = Object.values(CloseCode).sort()
  expect(codes).toEqual(Array.from({ length: 16 }, (_, index) => 1000 + index).filter((code) => code !== 1004))
})
