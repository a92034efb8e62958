import { closed } from '@oneport/adapter-testsuite'
import { acceptWebSocket, type ConnectionSummary, renew, wsUpgrade } from '../src/index.ts'
import { useServers } from './servers.ts'
import { versions } from './versions.ts'

describe.each(versions)('With %s', (_name, express) => {
  const { serve, connect } = useServers()

  test('a connection is closed when its credential ends, and by revoke with its key', async () => {
    const app = express()
    const websockets = wsUpgrade()
    app.use(websockets)
    app.get('/news/:user', (req, res) =>
      acceptWebSocket(req, res, { key: req.params.user, expiresAt: new Date(Date.now() + 60_000) }, (socket) => {
        if (req.params.user === 'eve') renew(socket, Date.now() + 50)
      })
    )
    const target = await serve(app)
    const [ada, bob, eve] = await Promise.all(['ada', 'bob', 'eve'].map((user) => connect(target, `/news/${user}`)))
    expect((await closed(eve?.socket as never)).code).toBe(4401)
    expect(websockets.connectionsOf('ada')).toHaveLength(1)
    const end = closed(ada?.socket as never)
    expect(websockets.revoke('ada', 4403, 'banned')).toBe(1)
    expect(await end).toEqual({ code: 4403, reason: 'banned' })
    expect(bob?.socket.readyState).toBe(1)
  })

  test('the options of wsUpgrade() hold beside a credential', async () => {
    const app = express()
    app.use(wsUpgrade({ subprotocols: ['chat'] }))
    app.get('/', (req, res) => acceptWebSocket(req, res, { key: 'ada' }, () => {}))
    const { response } = await connect(await serve(app), '/', ['chat'])
    expect(response.headers['sec-websocket-protocol']).toBe('chat')
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
    const { socket } = await connect(await serve(app), '/api/chat?token=secret')
    socket.close(4000)
    expect(await told).toMatchObject({ code: 4000, request: { id: String(id), path: '/api/chat' } })
  })
})
