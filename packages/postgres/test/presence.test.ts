import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describeWith, postgresProgram } from '@oneport/test-kit'
import { atEnd, stopAll } from '../../topics/test/pair.ts'
import { PresentNode } from '../../topics/test/present-node.ts'
import { serveSilent } from '../../topics/test/silent.ts'
import { openSite, type Site } from './site.ts'

jest.setTimeout(60_000)

afterEach(stopAll)

describeWith(postgresProgram, 'presence across nodes, with a real PostgreSQL', () => {
  let site: Site & { stop(): Promise<void> }

  beforeAll(async () => {
    site = await openSite()
  })

  afterAll(() => site?.stop())

  const start = async (intervalMs: number): Promise<PresentNode> =>
    PresentNode.start(await site.join(), intervalMs, { history: {} })

  test('members of another node are shown when they join, and not when they have left', async () => {
    const [one, two] = [await start(10_000), await start(10_000)]
    const ada = await two.connect({ id: 'ada', info: { name: 'Ada' } }, 'news')
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada')
    const bob = await two.connect({ id: 'bob' }, 'news')
    await viewer.sees('news', 'ada', 'bob')
    await ada.leave()
    await viewer.sees('news', 'bob')
    await bob.leave()
    await viewer.sees('news')
    expect(viewer.faults).toEqual([])
    expect([one.errors, two.errors]).toEqual([[], []])
  })

  test('a thousand members are shown, without a table', async () => {
    const [one, two] = [await start(10_000), await start(10_000)]
    const ids = Array.from({ length: 1_000 }, (_, index) => `member ${index}`)
    for (const id of ids) serveSilent(two.topics, id, 'news')
    await two.settled()
    const viewer = await one.watch('news')
    await viewer.sees('news', ...ids)
    expect(await site.sql('select count(*)::int as count from oneport.large')).toEqual([{ count: 0 }])
    await two.topics.close()
    await viewer.sees('news')
  })

  test('PostgreSQL is killed and restarted: what has changed meanwhile is shown', async () => {
    const [one, two] = [await start(2_000), await start(2_000)]
    const ada = await two.connect({ id: 'ada' }, 'news')
    const bob = await two.connect({ id: 'bob' }, 'news')
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada', 'bob')
    await site.server.kill()
    await ada.leave()
    await site.server.start()
    await viewer.sees('news', 'bob')
    await bob.leave()
    await viewer.sees('news')
    expect(viewer.faults).toEqual([])
  })

  test('members of a process that is killed are dropped after the deadline', async () => {
    const intervalMs = 300
    const one = await start(intervalMs)
    const viewer = await one.watch('news')
    const child = fork('present.ts', [site.server.url(), 'ada', 'news', String(intervalMs)], {
      cwd: join(__dirname, 'process'),
      execArgv: ['-r', 'esbuild-register']
    })
    atEnd(() => void child.kill('SIGKILL'))
    await once(child, 'message')
    await viewer.sees('news', 'ada')
    child.kill('SIGKILL')
    await once(child, 'exit')
    await viewer.sees('news')
    expect(viewer.notices).toEqual(['present news', 'joined news', 'left news'])
  })
})
