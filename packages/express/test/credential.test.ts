import { connect } from '@oneport/testing'
import { acceptWebSocket, type ConnectionSummary, renew, wsUpgrade } from '../src/index.ts'
import { versions } from './versions.ts'

describe.each(versions)('With %s', (_name, express) => {
  test('a connection is closed when its credential expires, and by revoke with its key', async () => {
    const app = express()
    const websockets = wsUpgrade()
    app.use(websockets)
    app.get('/news/:user', (req, res) =>
      acceptWebSocket(req, res, { key: req.params.user, expiresAt: new Date(Date.now() + 60_000) }, (socket) => {
        if (req.params.user === 'eve') renew(socket, Date.now() + 50)
      })
    )
    const [ada, bob, eve] = await Promise.all([
      connect(app, '/news/ada'),
      connect(app, '/news/bob'),
      connect(app, '/news/eve')
    ])
    expect((await eve.closed).code).toBe(4401)
    expect(websockets.connectionsOf('ada').size).toBe(1)
    expect(websockets.revoke('ada', 4403, 'banned')).toBe(1)
    expect(await ada.closed).toEqual({ code: 4403, reason: 'banned', clean: true })
    await bob.ping()
  })

  test('the options of wsUpgrade() apply together with a credential', async () => {
    const app = express()
    app.use(wsUpgrade({ subprotocols: ['chat'] }))
    app.get('/', (req, res) => acceptWebSocket(req, res, { key: 'ada' }, () => {}))
    expect((await connect(app, '/', { subprotocols: ['chat'] })).subprotocol).toBe('chat')
  })

  test.each([['abc'], [7]])('onClosed gets the request id %j that middleware set, and the whole path', async (id) => {
    let tell: (summary: ConnectionSummary) => void = () => {}
    const told = new Promise<ConnectionSummary>((resolve) => {
      tell = resolve
    })
    const app = express()
    app.use(wsUpgrade({ onClosed: (_socket, summary) => tell(summary) }))
    const router = express.Router()
    router.use((req, _res, next) => {
      Object.assign(req, { id })
      next()
    })
    router.get('/chat', (req, res) => acceptWebSocket(req, res, () => {}))
    app.use('/api', router)
    await (await connect(app, '/api/chat?token=secret')).close(4000)
    expect(await told).toMatchObject({ code: 4000, request: { id: String(id), path: '/api/chat' } })
  })
})
