import { once } from 'node:events'
import { createServer } from 'node:http'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'
import { useServers } from './servers.ts'
import { versions } from './versions.ts'

const { serve, connect } = useServers()

/** What Express adds before it sets the prototype, and what cannot be prepared: the query in Express 4, a private symbol. */
const rest = ['res', 'query', 'Symbol(router.tracing.matchedRoute)']

/** Objects that get properties after Express has set their prototype are slow, each time. */
test.each(versions)(
  'Express adds no property to the request and the response of a handshake: %s',
  async (_name, express) => {
    const before: PropertyKey[] = []
    const after: PropertyKey[] = []
    const app = express()
    app.set('x-powered-by', true)
    app.use(wsUpgrade({ allowedOrigins: 'any' }))
    app.use(
      '/in',
      express.Router().get('/:room', (req, res) =>
        acceptWebSocket(req, res, (socket) => {
          setImmediate(() => {
            after.push(...Reflect.ownKeys(req), ...Reflect.ownKeys(res))
            socket.close()
          })
        })
      )
    )
    const server = createServer(app)
    server.prependListener('request', (req, res) => before.push(...Reflect.ownKeys(req), ...Reflect.ownKeys(res)))
    const { socket } = await connect(await serve(server), '/in/tea')
    await once(socket, 'close')
    const added = after.filter((key) => !before.includes(key)).map(String)
    expect(added.filter((key) => !rest.includes(key))).toEqual([])
  }
)
