import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { chromium, describeWith, freePort } from '@oneport/test-kit'
import { installed } from '../../../runtimes/test/installed.ts'
import { root } from '../../src/markdown.ts'
import { openPage, start } from '../stage.ts'

const nothing = { Tea: 0, Coffee: 0, Water: 0 }

describe('the application fastify-typescript', () => {
  test('counts one vote per client, and shows the result to all of them', async () => {
    const program = await start('fastify-typescript')
    const [ada, grace] = [await program.connect('/polls/drinks/votes'), await program.connect('/polls/drinks/votes')]
    const counts = async () => [JSON.parse(await ada.next()).votes, JSON.parse(await grace.next()).votes]
    const both = (votes: object) => [
      { ...nothing, ...votes },
      { ...nothing, ...votes }
    ]
    expect(await counts()).toEqual(both({}))
    ada.socket.send('{"type":"vote","choice":"Tea"}')
    expect(await counts()).toEqual(both({ Tea: 1 }))
    grace.socket.send('{"type":"vote","choice":"Coffee"}')
    expect(await counts()).toEqual(both({ Tea: 1, Coffee: 1 }))
    ada.socket.send('{"type":"vote","choice":"Water"}')
    expect(await counts()).toEqual(both({ Coffee: 1, Water: 1 }))
    ada.socket.close()
    expect(JSON.parse(await grace.next()).votes).toEqual({ ...nothing, Coffee: 1 })
    expect(await (await program.fetch('/polls/drinks')).json()).toMatchObject({ votes: { ...nothing, Coffee: 1 } })
  })

  test('closes a connection that sends anything but a vote', async () => {
    const program = await start('fastify-typescript')
    const others = [
      'no JSON',
      'null',
      '{}',
      '{"type":"vote"}',
      '{"type":"vote","choice":4}',
      '{"type":"vote","choice":"Gin"}'
    ]
    for (const text of others) {
      const { closed, socket } = await program.connect('/polls/drinks/votes')
      socket.send(text)
      expect(await closed).toEqual({ code: 1008, reason: 'not a vote' })
    }
  })

  test('validates a handshake like any other request', async () => {
    const program = await start('fastify-typescript')
    for (const [path, status] of [
      ['/polls/NO', 400],
      ['/polls/none', 404]
    ] as const) {
      expect((await program.fetch(path)).status).toBe(status)
      expect((await program.connect(`${path}/votes`)).status).toBe(status)
    }
    expect((await program.connect('/polls/drinks/votes', { origin: 'https://evil.example' })).status).toBe(403)
  })

  // The versions that strip types themselves.
  for (const { name, path } of installed.filter(({ name }) => ['Node 22', 'Node 24', 'Node 26'].includes(name))) {
    const run = path === undefined ? test.skip : test
    run(`runs on ${name} without tsx`, async () => {
      const cwd = join(root, 'examples', 'fastify-typescript')
      const PORT = String(await freePort())
      const child = spawn(path as string, ['server.ts'], { cwd, env: { ...process.env, PORT, NODE_OPTIONS: '' } })
      let printed = ''
      child.stderr.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
      })
      try {
        const ended = once(child, 'exit').then(() => 'it ended')
        const first = await Promise.race([once(child.stdout, 'data').then(String), ended])
        expect([first.trim(), printed]).toEqual([`Open http://localhost:${PORT}/ in two tabs.`, ''])
      } finally {
        child.kill('SIGKILL')
      }
    })
  }

  describeWith(chromium, 'in Chromium', () => {
    test('shows the votes of others as they arrive', async () => {
      const program = await start('fastify-typescript')
      const [ada, grace] = [await openPage(program.origin), await openPage(program.origin)]
      await ada.getByRole('heading', { name: 'What will you drink?' }).waitFor()
      await grace.getByRole('button', { name: 'Tea: 0' }).waitFor()
      await ada.getByRole('button', { name: 'Tea' }).click()
      await grace.getByRole('button', { name: 'Tea: 1' }).waitFor()
      await ada.getByRole('link', { name: 'Tabs' }).click()
      await ada.getByRole('button', { name: 'Spaces: 0' }).waitFor()
      await grace.getByRole('button', { name: 'Tea: 0' }).waitFor()
    })
  })
})
