import type { Connection } from '../../src/life/connection.ts'
import { Connections } from '../../src/life/connections.ts'
import { Timers } from '../../src/life/timers.ts'
import { resolveOptions } from '../../src/options/server.ts'

/** Connections uses only the socket of a connection. */
const newConnection = () => ({ socket: {} }) as Connection

/** Whether a promise is fulfilled after all pending work is done. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  let done = false
  void promise.then(() => {
    done = true
  })
  await new Promise(setImmediate)
  return done
}

describe('Connections', () => {
  test('holds a socket until it closes', () => {
    const connections = new Connections(resolveOptions({ heartbeat: false }), new Timers())
    const [one, two] = [newConnection(), newConnection()]
    connections.add(one)
    connections.add(two)
    expect([...connections.open]).toEqual([one.socket, two.socket])
    connections.remove(one, 1000)
    expect([...connections.open]).toEqual([two.socket])
    connections.remove(two, 1000)
    expect(connections.open.size).toBe(0)
  })

  test('begins empty, and accepts sockets', () => {
    const connections = new Connections(resolveOptions({ heartbeat: false }), new Timers())
    expect(connections.open.size).toBe(0)
    expect(connections.draining).toBe(false)
  })

  test('does not mind a socket that closes twice', () => {
    const connections = new Connections(resolveOptions({ heartbeat: false }), new Timers())
    const [one, two] = [newConnection(), newConnection()]
    connections.add(one)
    connections.add(two)
    connections.remove(one, 1000)
    connections.remove(one, 1000)
    expect([...connections.open]).toEqual([two.socket])
  })

  test('keeps the sockets of different attachments apart', () => {
    const [first, second] = [
      new Connections(resolveOptions({ heartbeat: false }), new Timers()),
      new Connections(resolveOptions({ heartbeat: false }), new Timers())
    ]
    const [one, two] = [newConnection(), newConnection()]
    first.add(one)
    second.add(two)
    first.remove(one, 1000)
    expect(first.open.size).toBe(0)
    expect([...second.open]).toEqual([two.socket])
  })
})

describe('idle', () => {
  test('resolves at once if no socket is open', async () => {
    expect(await isDone(new Connections(resolveOptions({ heartbeat: false }), new Timers()).idle())).toBe(true)
  })

  test('resolves at once if all sockets have closed before', async () => {
    const connections = new Connections(resolveOptions({ heartbeat: false }), new Timers())
    const socket = newConnection()
    connections.add(socket)
    connections.remove(socket, 1000)
    expect(await isDone(connections.idle())).toBe(true)
  })

  test('resolves when the last socket has closed, and not before', async () => {
    const connections = new Connections(resolveOptions({ heartbeat: false }), new Timers())
    const [one, two] = [newConnection(), newConnection()]
    connections.add(one)
    connections.add(two)
    const empty = connections.idle()
    connections.remove(one, 1000)
    expect(await isDone(empty)).toBe(false)
    connections.remove(two, 1000)
    expect(await isDone(empty)).toBe(true)
  })

  test('waits for a socket that was added later', async () => {
    const connections = new Connections(resolveOptions({ heartbeat: false }), new Timers())
    const [one, two] = [newConnection(), newConnection()]
    connections.add(one)
    const empty = connections.idle()
    connections.add(two)
    connections.remove(one, 1000)
    expect(await isDone(empty)).toBe(false)
    connections.remove(two, 1000)
    expect(await isDone(empty)).toBe(true)
  })

  test('resolves for all callers', async () => {
    const connections = new Connections(resolveOptions({ heartbeat: false }), new Timers())
    const socket = newConnection()
    connections.add(socket)
    const [first, second] = [connections.idle(), connections.idle()]
    connections.remove(socket, 1000)
    expect(await isDone(second)).toBe(true)
    expect(await isDone(first)).toBe(true)
  })
})
