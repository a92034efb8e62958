import { backplaneContract } from '../src/contract.ts'
import { MemoryHub, memoryBackplane } from '../src/index.ts'

const cases = backplaneContract(() => {
  const hub = new MemoryHub()
  return {
    node: () => memoryBackplane(hub),
    cut: () => {
      hub.health = 'down'
    },
    restore: () => hub.restore(),
    forget: () => hub.forget(),
    stop: () => {}
  }
})

test.each(cases)('$name', ({ run }) => run())

test('each case has a name of its own', () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
})
