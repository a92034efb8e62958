import { open, openNotice, seal, sealNotice } from '../src/envelope.ts'
import { Message } from '../src/message.ts'

const nodeId = Buffer.from('01234567')

test.each([
  ['text', new Message('né', false, true), '01023031323334353637' + '6ec3a9'],
  ['bytes', new Message(Buffer.from([0xff]), true, false), '01013031323334353637' + 'ff'],
  ['nothing', new Message('', false, false), '01003031323334353637']
])('seals %s as version, flags, node and payload', (_what, message, hex) => {
  const envelope = seal(message, nodeId)
  expect(envelope.toString('hex')).toBe(hex)
  const { isBinary, compress, payload } = message
  expect(open(envelope)).toEqual({ nodeId, isBinary, compress, payload })
})

const sealed = seal(new Message('text', false, true), nodeId)

test.each([
  ['nothing', Buffer.alloc(0)],
  ['less than a header', sealed.subarray(0, 9)],
  ['another version', Buffer.concat([Buffer.from([2]), sealed.subarray(1)])],
  ['an unknown flag', Buffer.concat([Buffer.from([1, 6]), sealed.subarray(2)])],
  ['text that is not UTF-8', Buffer.concat([sealed, Buffer.from([0xc3])])],
  ['no bytes at all', 'text']
])('does not open %s', (_what, bytes) => {
  expect(open(bytes as Buffer)).toBeUndefined()
})

test('seals what a node tells the others as version, flag, node and notice', () => {
  const envelope = sealNotice(Buffer.from('here 1'), nodeId)
  expect(envelope.toString('hex')).toBe('01043031323334353637' + '686572652031')
  expect(openNotice(envelope)).toEqual({ nodeId, notice: Buffer.from('here 1') })
})

test('does not take the one for the other', () => {
  expect(open(sealNotice(Buffer.from('here 1'), nodeId))).toBeUndefined()
  expect(openNotice(sealed)).toBeUndefined()
  expect(openNotice(sealed.subarray(0, 9))).toBeUndefined()
  expect(openNotice('text' as unknown as Buffer)).toBeUndefined()
})
