import { Turns } from '../src/turns.ts'

test('runs many of one kind at a time, and never two kinds', async () => {
  const turns = new Turns(1_000)
  const running = { subscribe: 0, unsubscribe: 0 }
  const most = { ...running }
  const work = (kind: 'subscribe' | 'unsubscribe') => async () => {
    running[kind]++
    most[kind] = Math.max(most[kind], running[kind])
    await new Promise(setImmediate)
    expect(Math.min(running.subscribe, running.unsubscribe)).toBe(0)
    running[kind]--
  }
  const kinds = Array.from({ length: 20 }, (_, index) => (index % 3 === 0 ? 'unsubscribe' : 'subscribe'))
  await Promise.all(kinds.map((kind) => turns.take(kind, work(kind))))
  expect(running).toEqual({ subscribe: 0, unsubscribe: 0 })
  expect(Math.min(most.subscribe, most.unsubscribe)).toBeGreaterThan(1)
})

test('one that fails, or is never answered, does not hold up the others', async () => {
  const turns = new Turns(20)
  const results = await Promise.allSettled([
    turns.take('subscribe', () => new Promise(() => {})),
    turns.take('subscribe', () => Promise.reject(new Error('refused'))),
    turns.take('unsubscribe', async () => {})
  ])
  expect(results.map((result) => (result.status === 'rejected' ? result.reason.message : result.status))).toEqual([
    'Redis has not answered a command to subscribe in 20 ms.',
    'refused',
    'fulfilled'
  ])
})
