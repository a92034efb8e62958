import { readArguments } from '../src/arguments.ts'
import { checkDescriptors, extentOf } from '../src/extent.ts'

describe('the limit of open files', () => {
  const whole = extentOf(readArguments([]))

  test('is enough where all connections fit in, with some files more', () => {
    expect(() => checkDescriptors(whole, 10_200)).not.toThrow()
  })

  test('is explained where it is not enough', () => {
    expect(() => checkDescriptors(whole, 4_096)).toThrow(
      /^10200 files have to be open in each process, and this shell allows 4096\. .*ulimit -n/
    )
  })

  test('counts the handshakes of a round where fewer connections are held', () => {
    expect(() => checkDescriptors(extentOf(readArguments(['--connections', '100'])), 4_199)).toThrow('4200 files')
  })

  test('is enough for the small run that the message names, with what shells usually allow', () => {
    expect(() => checkDescriptors(extentOf(readArguments(['--quick', '--connections', '500'])), 1_024)).not.toThrow()
  })
})
