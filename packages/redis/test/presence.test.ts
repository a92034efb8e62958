import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describeWith, redisProgram } from '@oneport/test-kit'
import { atEnd, stopAll } from '../../topics/test/pair.ts'
import { PresentNode } from '../../topics/test/present-node.ts'
import { serveSilent } from '../../topics/test/silent.ts'
import { kinds, type Site } from './sites.ts'

// Reconnecting takes up to two seconds, for a Cluster somewhat longer.
jest.setTimeout(60_000)

afterEach(stopAll)

describeWith(redisProgram, 'presence across nodes, with a real Redis', () => {
  describe.each(kinds)('$name', ({ open }) => {
    let site: Site

    beforeAll(async () => {
      site = await open()
    })

    afterAll(() => site?.stop())

    beforeEach(() => site.recover())

    async function startPair(intervalMs: number): Promise<[PresentNode, PresentNode]> {
      const pair = [
        await PresentNode.start(site.join(), intervalMs, { history: {} }),
        await PresentNode.start(site.join(), intervalMs, { history: {} })
      ] as const
      for (const node of pair) await node.settled()
      return [...pair]
    }

    test('members of another node are shown when they join, and not when they have left', async () => {
      const [one, two] = await startPair(10_000)
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

    test('a thousand members are shown', async () => {
      const [one, two] = await startPair(10_000)
      const ids = Array.from({ length: 1_000 }, (_, index) => `member ${index}`)
      for (const id of ids) serveSilent(two.topics, id, 'news')
      await two.settled()
      const viewer = await one.watch('news')
      await viewer.sees('news', ...ids)
      await two.topics.close()
      await viewer.sees('news')
    })

    test('Redis is killed and restarted: what has changed meanwhile is shown', async () => {
      const [one, two] = await startPair(2_000)
      const ada = await two.connect({ id: 'ada' }, 'news')
      const bob = await two.connect({ id: 'bob' }, 'news')
      const viewer = await one.watch('news')
      await viewer.sees('news', 'ada', 'bob')
      for (const server of site.servers) await server.kill()
      await ada.leave()
      serveSilent(two.topics, 'cem', 'news')
      for (const server of site.servers) await server.start()
      await viewer.sees('news', 'bob', 'cem')
      await bob.leave()
      await viewer.sees('news', 'cem')
      expect(viewer.faults).toEqual([])
    })
  })

  test('members of a process that is killed are dropped after the deadline', async () => {
    const site = await (kinds[0] as (typeof kinds)[number]).open()
    atEnd(() => site.stop())
    const intervalMs = 300
    const one = await PresentNode.start(site.join(), intervalMs)
    await one.settled()
    const viewer = await one.watch('news')
    const url = site.servers[0]?.url ?? ''
    const child = fork('present.ts', [url, 'ada', 'news', String(intervalMs)], {
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
