import { chromium, describeWith, RedisServer, redisProgram } from '@oneport/test-kit'
import type { Answer, Program } from '../../src/program.ts'
import { openPage, openTab, start } from '../stage.ts'

interface Member extends Answer {
  /** The process that serves the client. */
  readonly process: number
}

/** Connects until there is a client of each process. */
async function connectToBoth(program: Program): Promise<[one: Member, other: Member]> {
  const members = new Map<number, Member>()
  while (members.size < 2) {
    const answer = await program.connect('/chat')
    const { process } = JSON.parse(await answer.next())
    members.set(process, { ...answer, process })
  }
  return [...members.values()] as [Member, Member]
}

/** Waits until both processes report this state of Redis. */
async function healthIs(program: Program, health: string): Promise<void> {
  const seen = new Set<number>()
  while (seen.size < 2) {
    // A new connection each time, because processes are chosen per connection.
    const { process, redis } = await (await program.fetch('/health', { headers: { Connection: 'close' } })).json()
    if (redis.health === health && (health === 'down' || redis.missing === 0)) seen.add(process)
    else seen.delete(process)
  }
}

describeWith(redisProgram, 'the application redis', () => {
  let redis: RedisServer
  beforeEach(async () => {
    redis = await RedisServer.start()
  })
  afterEach(() => redis.stop())

  test('delivers each message to the clients of both processes, once', async () => {
    const program = await start('redis', { REDIS_URL: redis.url })
    const [one, other] = await connectToBoth(program)
    await healthIs(program, 'up')
    one.socket.send('first')
    other.socket.send('second')
    for (const { next } of [one, other]) {
      const heard = [JSON.parse(await next()), JSON.parse(await next())]
      expect(heard).toEqual(
        expect.arrayContaining([
          { process: one.process, text: 'first' },
          { process: other.process, text: 'second' }
        ])
      )
    }
  })

  test('continues without Redis, logs that once per process, and recovers', async () => {
    const program = await start('redis', { REDIS_URL: redis.url })
    const [one, other] = await connectToBoth(program)
    await healthIs(program, 'up')
    await redis.kill()
    await healthIs(program, 'down')
    one.socket.send('alone')
    expect(JSON.parse(await one.next())).toEqual({ process: one.process, text: 'alone' })
    for (const { process } of [one, other]) await program.printed(`Process ${process} is on its own: no Redis at`)

    await redis.start()
    await healthIs(program, 'up')
    one.socket.send('together')
    expect(JSON.parse(await other.next())).toEqual({ process: one.process, text: 'together' })
    expect(program.output.match(/is on its own/g)).toHaveLength(2)
  })

  describeWith(chromium, 'in Chromium', () => {
    test('has a page that shows which process it is connected to', async () => {
      const program = await start('redis', { REDIS_URL: redis.url })
      const [{ process: one }, { process: other }] = await connectToBoth(program)
      await healthIs(program, 'up')
      const page = await openPage(program.origin)
      const tab = await openTab(page.context(), program.origin)
      for (const each of [page, tab]) await each.getByText(`Connected to process`).waitFor()
      await page.getByLabel('Message').fill('<b>hello</b>')
      await page.keyboard.press('Enter')
      await tab.getByRole('log').getByText('<b>hello</b>').waitFor()
      const state = (await page.getByRole('status').textContent()) ?? ''
      expect([`Connected to process ${one}.`, `Connected to process ${other}.`]).toContain(state)
    })
  })
})
