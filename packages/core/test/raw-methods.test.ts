import { Duplex } from 'node:stream'
import { override, takeNextWrite } from '../src/raw-methods.ts'

/** Says which calls arrive at the class. */
class Recorded extends Duplex {
  readonly calls: string[] = []

  override destroy(): this {
    this.calls.push('class')
    return this
  }

  override write(data: unknown): boolean {
    this.calls.push(`class: ${data}`)
    return true
  }
}

const withOverride = (): { raw: Recorded; lift: () => void } => {
  const raw = new Recorded()
  return { raw, lift: override(raw, { destroy: () => raw.calls.push('override') }) }
}

test('methods stand in front of those of the class until they are lifted', () => {
  const { raw, lift } = withOverride()
  raw.destroy()
  lift()
  raw.destroy()
  expect(raw.calls).toEqual(['override', 'class'])
  expect(Object.hasOwn(raw, 'destroy')).toBe(false)
})

test('regression: who had asked for a method before it was lifted kept one that did nothing', () => {
  const { raw, lift } = withOverride()
  const { destroy } = raw
  lift()
  Reflect.apply(destroy, raw, [])
  expect(raw.calls).toEqual(['class'])
})

test('what stood there before comes back, and gets the calls of those who hold a lifted method', () => {
  const raw = new Recorded()
  raw.destroy = () => {
    raw.calls.push('theirs')
    return raw
  }
  const lift = override(raw, { destroy: () => raw.calls.push('override') })
  const { destroy } = raw
  lift()
  raw.destroy()
  Reflect.apply(destroy, raw, [])
  expect(raw.calls).toEqual(['theirs', 'theirs'])
})

test('regression: a method that somebody had put in front of ours was taken away with it', () => {
  const { raw, lift } = withOverride()
  const { destroy } = raw
  raw.destroy = () => {
    raw.calls.push('monitor')
    return Reflect.apply(destroy, raw, [])
  }
  raw.destroy()
  lift()
  raw.destroy()
  expect(raw.calls).toEqual(['monitor', 'override', 'monitor', 'class'])
})

test('lifting twice takes nothing away', () => {
  const { raw, lift } = withOverride()
  lift()
  const theirs = (): Recorded => raw
  raw.destroy = theirs
  lift()
  expect(raw.destroy).toBe(theirs)
})

test('one write is taken, and whoever holds the method writes to the class behind that', () => {
  const raw = new Recorded()
  takeNextWrite(raw, (data) => raw.calls.push(`taken: ${data}`))
  const { write } = raw
  for (const data of ['one', 'two']) Reflect.apply(write, raw, [data])
  raw.write('three')
  expect(raw.calls).toEqual(['taken: one', 'class: two', 'class: three'])
  expect(Object.hasOwn(raw, 'write')).toBe(false)
})

test('a write that is not waited for any more reaches what stood there before', () => {
  const raw = new Recorded()
  raw.write = (data: unknown) => raw.calls.push(`theirs: ${data}`) > 0
  const restore = takeNextWrite(raw, (data) => raw.calls.push(`taken: ${data}`))
  const { write } = raw
  restore()
  raw.write('one')
  Reflect.apply(write, raw, ['two'])
  expect(raw.calls).toEqual(['theirs: one', 'theirs: two'])
})
