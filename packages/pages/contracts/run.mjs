import { createServer } from 'node:http'
import { cases } from '@oneport/adapter-testsuite'
import { connect } from '@oneport/testing'

/** Without an adapter, TLS makes no difference to a framework. HTTP/2 does. */
const ways = ['HTTP/1.1: ', 'HTTP/2 over TLS: ']

/** Time limit of a case, in milliseconds. */
const mostMs = 10_000

/** Runs the contract for the application in a file of this folder, and prints the cases that fail. */
const [name] = process.argv.slice(2)
const { serve, options, differences = {} } = await import(`./${name}.mjs`)
let passed = 0
for (const { name, run } of [...cases(serve, options), { name: 'HTTP/1.1: in memory', run: connectInMemory }]) {
  if (!ways.some((way) => name.startsWith(way))) continue
  const difference = Object.keys(differences).find((part) => name.includes(part))
  const failure = await within(run()).then(
    () => undefined,
    (error) => error
  )
  if ((failure === undefined) === (difference === undefined)) passed++
  else console.log(`not ok ${name}: ${failure?.stack ?? `passes, although it is listed: ${differences[difference]}`}`)
}
console.log(`passed ${passed}`)
process.exit()

/** Connects with the client for tests, which needs no port. */
async function connectInMemory() {
  const endpoints = [{ path: '/chat', options: {}, handler: (socket) => socket.send('Welcome.') }]
  const nothing = { fields: {}, lateFields: {}, options: {}, pages: [], serverOptions: {}, tls: false, http2: false }
  const { server } = await serve({ before: async () => {}, createServer, endpoints, ...nothing })
  const client = await connect(server, '/chat')
  const message = await client.next()
  if (message !== 'Welcome.') throw new Error(`expected "Welcome."; got ${message}`)
}

async function within(running) {
  let timer
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${mostMs} ms`)), mostMs)
  })
  await Promise.race([running, late]).finally(() => clearTimeout(timer))
}
