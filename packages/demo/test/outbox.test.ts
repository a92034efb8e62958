import { Outbox } from '../public/outbox.mjs'

interface Said {
  readonly id: string
  readonly text: string
}

const hello: Said = { id: '1', text: 'hello' }

/** An outbox whose attempts to publish end as the test says: with the code of an error, or without one. */
function openOutbox(...ends: (string | undefined)[]): { outbox: Outbox; log: string[] } {
  const log: string[] = []
  const outbox = new Outbox(
    async (message: string) => {
      log.push(`published ${JSON.parse(message).text}`)
      const code = ends.shift()
      if (code !== undefined) throw Object.assign(new Error('not published'), { code })
    },
    (what: string, said: Said, code?: string) => {
      log.push([what, said.text, code, outbox.size].filter((word) => word !== undefined).join(' '))
    }
  )
  return { outbox, log }
}

it('tells when a message waits and when it was sent', async () => {
  const { outbox, log } = openOutbox(undefined)
  await outbox.send(hello)
  expect(log).toEqual(['waiting hello 1', 'published hello', 'sent hello 0'])
})

it('publishes a message again if nobody knows whether it was published', async () => {
  const { outbox, log } = openOutbox('unknown', 'unknown', undefined)
  await outbox.send(hello)
  expect(log).toEqual(['waiting hello 1', 'published hello', 'published hello', 'published hello', 'sent hello 0'])
})

it.each(['forbidden', 'limit', 'busy', 'closed'])('returns a message if the answer is %s', async (code) => {
  const { outbox, log } = openOutbox(code)
  await outbox.send(hello)
  expect(log).toEqual(['waiting hello 1', 'published hello', `returned hello ${code} 0`])
})

it('does not publish again, nor return, what is in the room', async () => {
  const { outbox, log } = openOutbox('unknown')
  const sending = outbox.send(hello)
  outbox.settle(hello)
  await sending
  expect(log).toEqual(['waiting hello 1', 'published hello', 'sent hello 0'])
})
