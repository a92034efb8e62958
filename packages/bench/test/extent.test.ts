import { readArguments } from '../src/arguments.ts'
import { checkDescriptors, connectionsToEndure, extentOf } from '../src/extent.ts'

describe('the limit of open files', () => {
  const whole = extentOf(readArguments([]))

  test('is sufficient if all connections fit, with some files to spare', () => {
    expect(() => checkDescriptors(whole, 10_200)).not.toThrow()
  })

  test('is explained if it is not sufficient', () => {
    expect(() => checkDescriptors(whole, 4_096)).toThrow(
      /^Each process needs 10200 open files, but this shell allows only 4096\. .*ulimit -n/
    )
  })

  test('counts the handshakes of a round if fewer connections are held', () => {
    expect(() => checkDescriptors(extentOf(readArguments(['--connections', '100'])), 4_199)).toThrow('4200 open files')
  })

  test('is sufficient for the small run that the message suggests, as shells usually set it', () => {
    expect(() => checkDescriptors(extentOf(readArguments(['--quick', '--connections', '500'])), 1_024)).not.toThrow()
  })
})

describe('the connections of the suite endurance', () => {
  test('are as many as the limit allows, and at most 19,000', () => {
    expect(connectionsToEndure(undefined, Infinity)).toBe(19_000)
    expect(connectionsToEndure(undefined, 4_096)).toBe(3_896)
  })

  test('are as many as are asked for, if the limit allows', () => {
    expect(connectionsToEndure(1_000, 4_096)).toBe(1_000)
    expect(() => connectionsToEndure(4_000, 4_096)).toThrow(/4200 open files.*--suite endurance$/)
  })
})
