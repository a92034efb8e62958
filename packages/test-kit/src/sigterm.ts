import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { closed, connectClient, openRaw } from '@oneport/adapter-testsuite/parts'

/**
 * A program that drains on SIGTERM closes its clients and exits.
 *
 * @param program a file for Node to run: it serves an endpoint at `/chat` and prints its port and nothing else
 */
export function describeSigterm(name: string, program: string): void {
  describe(`a process with ${name} that drains on SIGTERM`, () => {
    let child: ChildProcess
    let ended: Promise<unknown>
    let printed: string
    let raws: Socket[]

    beforeEach(() => {
      raws = []
      printed = ''
      child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'pipe'] })
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (chunk: Buffer) => {
          printed += chunk.toString()
        })
      }
      ended = once(child, 'close').then(([exitCode, signal]) => ({ exitCode, signal, printed }))
    })

    afterEach(async () => {
      for (const raw of raws) raw.destroy()
      child.kill('SIGKILL')
      await ended
    })

    /** Waits for the program to print its port. */
    const listening = async (): Promise<number> => {
      const hasEnded = ended.then(() => true)
      while (!printed.includes('\n')) {
        const hasPrinted = once(child.stdout as Readable, 'data').then(() => false)
        if (await Promise.race([hasPrinted, hasEnded])) throw new Error(`The program exited. It printed: ${printed}`)
      }
      return Number(printed)
    }

    // Starting a process takes long on a busy machine.
    test('closes its clients with 1001 and exits with code 0', async () => {
      const port = await listening()
      const clients = [await connectClient({ port }, '/chat'), await connectClient({ port }, '/chat')]
      const ends = Promise.all(clients.map(({ socket }) => closed(socket)))
      // A keep-alive connection, as browsers leave one open between requests.
      const idle = await openRaw({ port })
      raws.push(idle)
      idle.write('GET /chat HTTP/1.1\r\nHost: app.example\r\n\r\n')
      await once(idle, 'data')

      child.kill('SIGTERM')
      expect((await ends).map(({ code }) => code)).toEqual([1001, 1001])
      expect(await ended).toEqual({ exitCode: 0, signal: null, printed: `${port}\n` })
    }, 30_000)
  })
}
