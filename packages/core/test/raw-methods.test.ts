import { Duplex } from 'node:stream'
import { override, takeNextWrite } from '../src/raw-methods.ts'

/** Records the calls that reach the class. */
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

test('methods override those of the class until they are lifted', () => {
  const { raw, lift } = withOverride()
  raw.destroy()
  lift()
  raw.destroy()
  expect(raw.calls).toEqual(['override', 'class'])
  expect(Object.hasOwn(raw, 'destroy')).toBe(false)
})

test('regression: code that held a method from before it was lifted was left with one that did nothing', () => {
  const { raw, lift } = withOverride()
  const { destroy } = raw
  lift()
  Reflect.apply(destroy, raw, [])
  expect(raw.calls).toEqual(['class'])
})

test('an earlier own method comes back, and gets the calls of code that holds a lifted method', () => {
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

test('regression: a method that other code had put in front of ours was removed with it', () => {
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

test('lifting twice removes nothing', () => {
  const { raw, lift } = withOverride()
  lift()
  const theirs = (): Recorded => raw
  raw.destroy = theirs
  lift()
  expect(raw.destroy).toBe(theirs)
})

test('one write is taken, and after that code that holds the method writes to the class', () => {
  const raw = new Recorded()
  takeNextWrite(raw, (data) => raw.calls.push(`taken: ${data}`))
  const { write } = raw
  for (const data of ['one', 'two']) Reflect.apply(write, raw, [data])
  raw.write('three')
  expect(raw.calls).toEqual(['taken: one', 'class: two', 'class: three'])
  expect(Object.hasOwn(raw, 'write')).toBe(false)
})

test('a write that is no longer waited for reaches an earlier own method', () => {
  const raw = new Recorded()
  raw.write = (data: unknown) => raw.calls.push(`theirs: ${data}`) > 0
  const restore = takeNextWrite(raw, (data) => raw.calls.push(`taken: ${data}`))
  const { write } = raw
  restore()
  raw.write('one')
  Reflect.apply(write, raw, ['two'])
  expect(raw.calls).toEqual(['theirs: one', 'theirs: two'])
})
