import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import { connect, endClients, liveThrough } from './conversations.ts'
import { endPrograms, RunningProgram } from './programs.ts'
import { within } from './within.ts'

const clients: Socket[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect()
  endClients()
  await endPrograms()
})

/** Longer than a server that has stopped listening keeps its connections. */
const aWhileMs = 350

async function socketIoEchoes({ port }: RunningProgram): Promise<void> {
  for (const transports of [['websocket'], ['polling', 'websocket']]) {
    const client = io(`http://127.0.0.1:${port}`, { transports, reconnection: false, forceNew: true })
    clients.push(client)
    const connected = new Promise<void>((resolve, reject) => {
      client.once('connect', resolve).once('connect_error', reject)
    })
    await within(`Socket.IO connects over ${transports}`, connected)
    expect(await within('the answer arrives', client.emitWithAck('echo', 'hello'))).toBe('hello')
  }
}

describe('workers of a cluster that get their connections with @socket.io/sticky', () => {
  test('without Oneport, serve Socket.IO', async () => {
    await socketIoEchoes(await RunningProgram.start('sticky', 'later'))
  })

  test('serve Socket.IO next to Oneport', async () => {
    await socketIoEchoes(await RunningProgram.start('sticky', 'first'))
  })

  test('accept our connections, which stay open like any other', async () => {
    const program = await RunningProgram.start('sticky', 'first')
    // One for each worker, and one more.
    const all = await Promise.all([1, 2, 3].map(() => connect(program, '/ours')))
    await sleep(aWhileMs)
    for (const client of all) await liveThrough(client, 'ours')
  })

  test('drain our connections', async () => {
    const program = await RunningProgram.start('sticky', 'first')
    const all = await Promise.all([1, 2, 3].map(() => connect(program, '/ours')))
    for (const client of all) expect(await client.next()).toBe('ours')
    await program.tell({ name: 'drain' })
    for (const client of all) expect(await within('the client is closed', client.closed)).toBe(1001)
  })
})
