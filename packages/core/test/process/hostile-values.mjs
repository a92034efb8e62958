import { createServer } from 'node:http'
import { acceptWebSocket, attach } from '@oneport/core'

// printing.test.ts starts this program, with the built package: `/<where>/<value>` throws the value there. With the
// argument `throw` or `reject`, the option functions do so too.
const fail = () => {
  throw new Error('a getter')
}
/** An error whose properties throw when they are read. */
const withGetters = (...names) => {
  const error = new Error('seen')
  for (const name of names) Object.defineProperty(error, name, { get: fail })
  return error
}
const trap = new Proxy({}, { get: () => fail })
const revoked = Proxy.revocable({}, {})
revoked.revoke()

const values = {
  bare: Object.create(null),
  symbol: Symbol('thrown'),
  undefined: undefined,
  null: null,
  empty: '',
  bigint: 1n,
  proxy: new Proxy(new Error('hidden'), trap),
  revoked: revoked.proxy,
  stack: withGetters('stack'),
  message: withGetters('stack', 'message'),
  name: withGetters('stack', 'name'),
  toString: Object.assign(Object.create(null), { toString: fail }),
  stackObject: Object.assign(new Error('seen'), { stack: Object.create(null) }),
  thenGetter: Object.defineProperty({}, 'then', { get: fail }),
  lines: new Error('one\r\ntwo\x1b[2J\x9b31m\rthree'),
  spaces: new Error(' '.repeat(65_536))
}

/** A `then` that throws, calls back twice and then returns something similar. */
const thenable = (value) => ({
  // biome-ignore lint/suspicious/noThenProperty: it is what is tried
  then(_resolve, reject) {
    reject(value)
    reject(value)
    throw value
  }
})

const ways = {
  dispatch: (value) => {
    throw value
  },
  rejection: (value) => Promise.reject(value),
  thenable,
  handler: (value, req, res) =>
    acceptWebSocket(req, res, () => {
      throw value
    }),
  handlerRejection: (value, req, res) => acceptWebSocket(req, res, () => Promise.reject(value)),
  handlerThenable: (value, req, res) => acceptWebSocket(req, res, () => thenable(value)),
  handlerResult: (value, req, res) => acceptWebSocket(req, res, () => value),
  listener: (value, req, res) =>
    acceptWebSocket(req, res, (socket) => {
      socket.on('message', () => {
        throw value
      })
    }),
  option: (value, req, res) => acceptWebSocket(req, res, { allowedOrigins: value }, () => {}),
  origins: (value, req, res) => acceptWebSocket(req, res, { allowedOrigins: () => value }, () => {}),
  subprotocols: (value, req, res) =>
    acceptWebSocket(
      req,
      res,
      {
        subprotocols: () => {
          throw value
        }
      },
      () => {}
    ),
  refused: (_value, req, res) => acceptWebSocket(req, res, { allowedOrigins: [] }, () => {}),
  closed: (_value, req, res) => acceptWebSocket(req, res, (socket) => socket.close()),
  fine: (_value, req, res) => acceptWebSocket(req, res, (socket) => socket.close())
}

const listener = (req, res) => {
  const [, way, name] = req.url.split('/')
  return ways[way](values[name], req, res)
}

/** Throws, or rejects with, the value named in the path of the request. */
const failing =
  (how) =>
  (_value, { url, path, request }) => {
    const [, way, name] = (url ?? path ?? request.path).split('/')
    if (way !== 'fine') return how(values[name])
    return undefined
  }
const options =
  process.argv[2] === 'throw'
    ? { onError: failing(ways.dispatch), onRefused: failing(ways.dispatch), onClosed: failing(ways.dispatch) }
    : process.argv[2] === 'reject'
      ? { onError: failing(thenable), onRefused: failing(thenable), onClosed: failing(thenable) }
      : {}

const server = createServer((_req, res) =>
  res.end(JSON.stringify({ ways: Object.keys(ways), values: Object.keys(values) }))
)
attach(server, listener, options)
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))
