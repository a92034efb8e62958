import type { Client } from './client.ts'
import { type Message, otherClients, type RunningClient, startOtherClient, type Visit } from './other-client.ts'
import type { Subject } from './subject.ts'

const megabyteOf = (byte: string): Buffer => Buffer.alloc(1_000_000, byte)

/** Clients of other makes get on with the endpoints. */
export function describeOtherClients(version: Client['version'], subject: () => Subject): void {
  const clients = otherClients.filter((client) => client.version === version)

  describe.each(clients)('gets on with $name', ({ command, isSkipped, missing, seesStatus, sendsFragments }) => {
    const run = isSkipped ? test.skip : test
    const hint = missing === undefined ? '' : ` (${missing})`
    let client: RunningClient | undefined

    afterAll(() => client?.stop())

    const visit = (path: string, visit: Partial<Visit> = {}) => {
      client ??= startOtherClient(command)
      const { port, tls } = subject().target
      const url = `${tls ? 'wss' : 'ws'}://127.0.0.1:${port}${path}`
      return client.visit({ url, subprotocols: [], messages: [], ...visit })
    }

    const text: Message = { text: 'Grüße 🙂' }
    const messages: [what: string, sent: Message, echo: Message][] = [
      ['text', text, text],
      ['an empty message', { text: '' }, { text: '' }],
      ['a binary message', { base64: 'AAH/' }, { base64: 'AAH/' }],
      ['a megabyte of text', { text: String(megabyteOf('x')) }, { text: String(megabyteOf('x')) }],
      [
        'a megabyte of bytes',
        { base64: megabyteOf('x').toString('base64') },
        { base64: megabyteOf('x').toString('base64') }
      ]
    ]
    if (sendsFragments) {
      messages.push(['a message in pieces', { fragments: ['one, ', 'two, ', 'three'] }, { text: 'one, two, three' }])
    }

    run.each(messages)(`%s${hint}`, async (_what, sent, echo) => {
      expect(await visit('/chat', { messages: [sent, text], close: [1000, ''] })).toMatchObject({
        echoes: [echo, text]
      })
    })

    run(`on a subprotocol, and on the close that it begins${hint}`, async () => {
      const result = await visit('/chat', { subprotocols: ['other', 'chat'], messages: [text], close: [4000, 'done'] })
      expect(result).toEqual({ subprotocol: 'chat', extension: '', echoes: [text], code: 4000, reason: 'done' })
      expect(subject().versions).toEqual([version === 'HTTP/2' ? '2.0' : '1.1'])
    })

    run(`on the close that the server begins${hint}`, async () => {
      expect(await visit('/closes')).toMatchObject({ code: 4001, reason: 'bye' })
    })

    run(`on compression${hint}`, async () => {
      const result = await visit('/deflate', { messages: [text, text], close: [1000, ''] })
      expect(result).toMatchObject({ extension: 'permessage-deflate', echoes: [text, text], code: 1000 })
    })

    run.each([
      ['/guarded', 401],
      ['/strict', 400],
      ['/unknown', 404]
    ])(`on the refusal at %s${hint}`, async (path, status) => {
      expect(await visit(path)).toEqual({ refused: true, ...(seesStatus ? { status } : {}) })
    })
  })
}
