import { connect, expectRefused } from '@oneport/testing'
import type { Context } from 'hono'
import { subjects } from './subjects.ts'

const ours = { field: 'set', body: 'Log in first.', status: 299, wasClean: true, early: 401 }

/** What docs/moving-from-hono-node-ws.md says of each library. */
const documented = [
  { field: undefined, body: '', status: 200, wasClean: false, early: 101 },
  ours,
  { field: 'set', body: '', status: 200, wasClean: false, early: 101 },
  ours
]

describe.each(subjects.map(([name, create], index) => ({ name, create, ...(documented[index] ?? ours) })))(
  '$name',
  ({ create, field, body, status, wasClean, early }) => {
    test('behaves as the page says', async () => {
      const { app, server, upgradeWebSocket } = create()
      const seen: number[] = []
      app.use('/open', async (c, next) => {
        await next()
        c.header('X-Field', 'set')
        seen.push(c.res.status)
      })
      let tell = (_wasClean: boolean): void => {}
      const closed = new Promise<boolean>((resolve) => {
        tell = resolve
      })
      const endpoint = upgradeWebSocket(() => ({ onClose: ({ wasClean }) => tell(wasClean) }))
      app.get('/open', endpoint)
      app.get('/refused', (c) => c.text('Log in first.', 401, { 'X-Field': 'set' }))
      app.get('/early', refuseBefore, endpoint)

      const client = await connect(server, '/open')
      expect(client.response.headers['x-field']).toBe(field)
      expect(seen).toEqual([status])
      await client.close()
      expect(await closed).toBe(wasClean)

      const refused = await expectRefused(server, '/refused')
      expect([refused.status, refused.body, refused.headers['x-field']]).toEqual([401, body, field])

      if (early === 101) await connect(server, '/early')
      else expect((await expectRefused(server, '/early')).status).toBe(early)
    })
  }
)

/** Sets a refusal, and goes on. */
async function refuseBefore(c: Context, next: () => Promise<void>): Promise<void> {
  c.res = new Response(null, { status: 401 })
  await next()
}
