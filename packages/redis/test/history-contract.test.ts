import { describeWith, redisProgram } from '@oneport/test-kit'
import type { HistoryBackplane } from '@oneport/topics'
import { backplaneContract } from '@oneport/topics/contract'
import { kinds, type Site } from './sites.ts'

// A Cluster takes long on a busy machine.
jest.setTimeout(60_000)

describeWith(redisProgram, 'the contract for backplanes that keep messages', () => {
  describe.each(kinds)('$name', ({ open }) => {
    let site: Site
    let count = 0

    beforeAll(async () => {
      site = await open()
    })

    afterAll(() => site?.stop())

    const onAll = async (...words: string[]): Promise<void> => {
      for (const server of site.servers) await server.command(...words)
    }

    const cases = backplaneContract(() => {
      // As fresh as another server.
      const prefix = `case ${++count}:`
      return {
        node: (): HistoryBackplane => site.join({ prefix }),
        cut: async () => {
          await onAll('CLIENT', 'KILL', 'TYPE', 'pubsub')
          await onAll('CLIENT', 'KILL', 'TYPE', 'normal')
        },
        restore: () => {},
        forget: () => onAll('FLUSHALL'),
        stop: () => {}
      }
    })

    test.each(cases)('$name', ({ run }) => run())
  })
})
