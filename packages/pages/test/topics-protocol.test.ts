import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectClient } from '@oneport/test-kit'
import { createTopics } from '@oneport/topics'
import { WebSocketServer } from 'ws'
import { type Block, blocksOf, pages, root } from '../src/markdown.ts'

const blocks = pages().flatMap((page) => blocksOf(page))
const conversations = blocks.filter(({ label }) => label === 'conversation')
const where = ({ page, line }: Block): string => `${page}:${line}`

/** Serves topics of which one has 41 messages, as the conversations say. */
function serve(topic: string): { server: WebSocketServer; publish: (text: string) => void } {
  const topics = createTopics({ history: {} })
  for (let count = 1; count <= 41; count++) topics.publish(topic, 'earlier')
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => topics.serve(socket, { mayRead: () => true, mayPublish: () => true }))
  return { server, publish: (text) => void topics.publish(topic, text) }
}

test.each(conversations.map((block) => [where(block), block] as const))(
  'the conversation at %s takes place',
  async (_where, { text }) => {
    const topic = 'chat/lobby'
    const { server, publish } = serve(topic)
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const said = text.split('\n').map((line) => [line[0], line.slice(3).replace('⏎', '\n')] as const)
    const epochs = new Map<string, string>()
    const filled = (line: string): string =>
      [...epochs].reduce((all, [shown, real]) => all.replaceAll(shown, real), line)
    try {
      let client = await connectClient({ port }, '/')
      let own = ''
      for (const [who, line] of said) {
        if (who === 'C') {
          client.socket.send(filled(line))
          own = line.slice(line.indexOf('\n') + 1)
        } else if (who === 'S') {
          const payload = line.slice(line.indexOf('\n') + 1)
          if (line.startsWith('message') && payload !== own) publish(payload)
          const got = await client.next()
          const [, shown = ''] = /^subscribed (\S+)/.exec(line) ?? []
          if (shown !== '') epochs.set(shown, got.split(' ')[1] as string)
          expect(got).toBe(filled(line))
        } else if (line !== '') {
          client.socket.terminate()
          client = await connectClient({ port }, '/')
        }
      }
      client.socket.terminate()
    } finally {
      server.close()
    }
  }
)

test('the grammar has the kinds of the conformance cases', () => {
  const grammar = blocks.find(({ label }) => label === 'grammar')?.text ?? ''
  const kindsOf = (rule: string): string[] =>
    (new RegExp(`^${rule} += (.*)$`, 'm').exec(grammar)?.[1] ?? '').split(' / ')
  const file = join(root, 'packages/topics/conformance.json')
  const cases = JSON.parse(readFileSync(file, 'utf8')) as Record<string, { means?: { kind: string } }[]>
  const shown = (list: string): string[] => [...new Set(cases[list]?.flatMap(({ means }) => means?.kind ?? []))]
  expect(kindsOf('request').sort()).toEqual(shown('requests').sort())
  expect(kindsOf('answer').sort()).toEqual(shown('answers').sort())
})
