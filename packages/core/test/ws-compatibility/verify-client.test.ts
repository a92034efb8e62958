import type { IncomingMessage } from 'node:http'
import { hostileValues } from '@oneport/test-kit'
import { askVerifyClient, type VerifyClient } from '../../src/ws-compatibility.ts'

const requestWith = (socket: object, headers: object = {}) => ({ socket, headers }) as IncomingMessage
const ask = (verifyClient: VerifyClient, req = requestWith({})) => askVerifyClient(verifyClient, req)

const unauthorized = { status: 401, message: 'Unauthorized', headers: {} }

test.each<[string, VerifyClient]>([
  ['true', () => true],
  ['a promise of true', async () => true],
  ['a truthy value', () => 1],
  ['its callback', (_info, callback) => void setImmediate(callback, true)]
])('accepts clients that %s accepts', async (_how, verifyClient) => {
  expect(await ask(verifyClient)).toBeUndefined()
})

test.each<[string, VerifyClient]>([
  ['false', () => false],
  ['nothing', () => undefined],
  ['a promise of false', async () => false],
  ['its callback', (_info, callback) => void setImmediate(callback, false)]
])('refuses with 401 clients that %s refuses', async (_how, verifyClient) => {
  expect(await ask(verifyClient)).toEqual(unauthorized)
})

test('refuses with what the callback says', async () => {
  const refusal = await ask((_info, callback) => callback(false, 403, 'Not you.', { 'X-Reason': 'stranger' }))
  expect(refusal).toEqual({ status: 403, message: 'Not you.', headers: { 'X-Reason': 'stranger' } })
})

test('names the status if the callback has no message', async () => {
  expect(await ask((_info, callback) => callback(false, 404))).toEqual({
    ...unauthorized,
    status: 404,
    message: 'Not Found'
  })
})

test('accepts only one verdict', async () => {
  const verdicts: VerifyClient = (_info, callback) => {
    callback(false)
    callback(true)
  }
  expect(await ask(verdicts)).toEqual(unauthorized)
})

test('ignores the return value of a function with a callback', async () => {
  const answers: VerifyClient = async (_info, callback) => {
    setImmediate(callback, false)
    return true
  }
  expect(await ask(answers)).toEqual(unauthorized)
})

test.each([
  [{}, false],
  [{ encrypted: true }, true],
  [{ authorized: true }, true]
])('says whether the connection is secure: %j', async (socket, secure) => {
  const req = requestWith(socket, { origin: 'https://a.example' })
  const verifyClient = jest.fn(() => true)
  await ask(verifyClient, req)
  expect(verifyClient.mock.calls[0]).toEqual([{ origin: 'https://a.example', secure, req }, expect.any(Function)])
})

describe.each(hostileValues)('security: survives %s', (_value, value) => {
  const raise = (): never => {
    throw value
  }

  test.each<[string, VerifyClient]>([
    ['throws', raise],
    ['rejects with', async () => raise()],
    ['with a callback throws', (_info, _callback) => raise()],
    ['with a callback rejects with', async (_info, _callback) => raise()]
  ])('when verifyClient %s it', async (_how, verifyClient) => {
    const isThrown = await ask(verifyClient).then(
      () => false,
      (reason: unknown) => Object.is(reason, value)
    )
    expect(isThrown).toBe(true)
  })

  test('as the status', async () => {
    const asStatus: VerifyClient = (_info, callback) => void setImmediate(callback, false, value as number)
    const outcome = await ask(asStatus).then(
      (refusal) => typeof refusal,
      () => 'rejected'
    )
    expect(outcome).toMatch(/^(object|rejected)$/)
  })
})
