import { CloseCode } from '../src/close-code.ts'

test('names every code of RFC 6455 once', () => {
  const codes = Object.values(CloseCode)
  expect(new Set(codes).size).toBe(codes.length)
  expect(CloseCode).toMatchObject({ NORMAL: 1000, GOING_AWAY: 1001, PROTOCOL_ERROR: 1002, INTERNAL_ERROR: 1011 })
})
