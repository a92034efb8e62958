import { Turns } from '../src/turns.ts'

test('runs many tasks of one kind at a time, and never two kinds', async () => {
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

test('regression: work that throws instead of rejecting held up all others for ever', async () => {
  const turns = new Turns(1_000)
  const broken = turns.take('subscribe', () => {
    throw new Error('not ready')
  })
  await expect(broken).rejects.toThrow('not ready')
  await turns.take('unsubscribe', async () => {})
})

test('regression: finished work left a timer for seconds', async () => {
  const clear = jest.spyOn(globalThis, 'clearTimeout')
  const set = jest.spyOn(globalThis, 'setTimeout')
  const turns = new Turns(60_000)
  await Promise.all(Array.from({ length: 100 }, () => turns.take('subscribe', async () => {})))
  expect(set.mock.results).toHaveLength(100)
  for (const { value } of set.mock.results) expect(clear).toHaveBeenCalledWith(value)
})

test('a task that fails, or is never answered, does not hold up the others', async () => {
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
