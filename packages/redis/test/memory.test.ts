import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describeWith, RedisServer, redisProgram } from '@oneport/test-kit'
import { atEnd, stopAll } from '../../topics/test/pair.ts'

afterEach(stopAll)

// Starting a process takes long on a busy machine.
jest.setTimeout(60_000)

describeWith(redisProgram, 'while Redis does not answer', () => {
  test.each(['node-redis', 'ioredis'])(
    'regression: with %s messages held three times maxPendingBytes; they stay within twice',
    async (kind) => {
      const server = await RedisServer.start()
      atEnd(async () => {
        server.tell('SIGCONT')
        await server.stop()
      })
      const child = fork('memory.ts', [kind, String(server.port)], {
        cwd: join(__dirname, 'process'),
        execArgv: ['--expose-gc', '-r', 'esbuild-register']
      })
      await once(child, 'message')
      server.tell('SIGSTOP')
      child.send('stopped')
      const [{ grownBytes, maxPendingBytes }] = await once(child, 'message')
      expect(grownBytes).toBeLessThan(2 * maxPendingBytes)
      expect(grownBytes).toBeGreaterThan(maxPendingBytes / 2)
    }
  )
})
