import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describeWith, type PostgresServer, postgresProgram } from '@oneport/test-kit'
import type { HistoryBackplane } from '@oneport/topics'
import { atEnd, stopAll } from '../../topics/test/pair.ts'
import { hear, limits, openSite, type Site, until } from './site.ts'

jest.setTimeout(60_000)

afterEach(stopAll)

/** Whatever has happened to the data, a position of before must not be taken for one of the messages of now. */
describeWith(postgresProgram, 'when PostgreSQL has lost data, another epoch begins', () => {
  let site: Site
  const topic = 'news'

  const append = (backplane: HistoryBackplane, text: string) => backplane.append(topic, Buffer.from(text), limits)

  const begin = async (...options: string[]): Promise<void> => {
    const opened = await openSite(...options)
    atEnd(() => opened.stop())
    site = opened
  }

  /** Waits until a node that was cut off is back. */
  const isBack = async (backplane: HistoryBackplane): Promise<void> => {
    await until(
      async () =>
        backplane.health() === 'up' &&
        (await backplane.read(topic, undefined, limits).then(
          () => true,
          () => false
        ))
    )
  }

  const restart = async (server: PostgresServer, ...nodes: HistoryBackplane[]): Promise<void> => {
    await server.start()
    for (const node of nodes) await isBack(node)
  }

  test('not when it was killed and restarted with its data', async () => {
    await begin()
    const one = await site.join()
    const { losses } = await hear(one, topic)
    const before = await append(one, 'a')
    await site.server.kill()
    await until(() => one.health() === 'down')
    await restart(site.server, one)
    expect(losses).toEqual([topic])
    const { epoch, last, messages } = await one.read(topic, undefined, limits)
    expect({ epoch, last, messages: messages.map(String) }).toEqual({ epoch: before.epoch, last: 1, messages: ['a'] })
    expect(await append(one, 'b')).toEqual({ epoch: before.epoch, offset: 2 })
  })

  test('its tables were emptied or dropped', async () => {
    await begin()
    const one = await site.join()
    const { got } = await hear(one, topic)
    const epochs = new Set<string>()
    for (const change of [
      'select',
      'truncate oneport.topics cascade',
      'delete from oneport.topics',
      'truncate oneport.store',
      'drop schema oneport cascade'
    ]) {
      await site.sql(change)
      await append(one, 'a').catch(() => {})
      await isBack(one)
      const { epoch, offset } = await append(one, 'b')
      epochs.add(epoch)
      await until(() => got.some(({ position }) => position?.epoch === epoch && position.offset === offset))
    }
    expect(epochs.size).toBe(5)
  })

  test('it is older than what a node has had acknowledged', async () => {
    await begin()
    const [one, other] = [await site.join(), await site.join()]
    // Nobody listens, so only acknowledgements tell.
    const { epoch } = await append(one, '1')
    await site.server.kill()
    await until(() => one.health() === 'down' && other.health() === 'down')
    const copy = site.server.save()
    await restart(site.server, one, other)
    expect(await append(one, '2')).toEqual({ epoch, offset: 2 })
    await append(other, '3')
    await site.server.kill()
    await until(() => one.health() === 'down' && other.health() === 'down')
    site.server.putBack(copy)
    await restart(site.server, one, other)
    expect((await append(other, 'other')).epoch).not.toBe(epoch)
    expect((await one.read(topic, { epoch, offset: 2 }, limits)).messages.map(String)).toEqual(['other'])
  })

  test('it is older than what a node has received from another one, which is gone', async () => {
    await begin()
    const [one, other] = [await site.join(), await site.join()]
    const { got } = await hear(other, topic)
    const { epoch } = await append(one, '1')
    await append(one, '2')
    await until(() => got.length === 2)
    await site.sql(`delete from oneport.messages where number = 2;
      update oneport.topics set last = 1, written_by = pg_current_xact_id()`)
    const read = await other.read(topic, { epoch, offset: 2 }, limits)
    expect(read.epoch).not.toBe(epoch)
    expect(read.last).toBe(0)
  })

  test('a dump was restored, while no node ran', async () => {
    await begin()
    const one = await site.join()
    const { epoch } = await append(one, '1')
    const dump = site.server.dump('oneport')
    await append(one, '2')
    await one.close()
    await site.sql('drop schema oneport cascade')
    site.server.load(dump)
    const other = await site.join()
    const kept = await other.read(topic, { epoch, offset: 2 }, limits)
    expect(kept.epoch).not.toBe(epoch)
    expect((await append(other, '2 again')).epoch).toBe(kept.epoch)
  })

  test('a replica has taken its place, which lags behind', async () => {
    await begin()
    const one = await site.join()
    const { epoch } = await append(one, '1')
    const replica = await site.server.startReplica()
    atEnd(() => replica.stop())
    replica.pause()
    expect(await append(one, '2')).toEqual({ epoch, offset: 2 })
    // No node is left that remembers.
    await one.close()
    await site.server.kill()
    await replica.start()
    await replica.takePlaceOf(site.server)
    const fresh = await site.join()
    const place = await append(fresh, '2 again')
    expect(place).toEqual({ epoch: expect.not.stringMatching(epoch), offset: 1 })
    expect((await fresh.read(topic, { epoch, offset: 2 }, limits)).messages.map(String)).toEqual(['2 again'])
  })

  test('a node does not listen to the old server when it already writes to the new one', async () => {
    await begin()
    const replica = await site.server.startReplica()
    atEnd(() => replica.stop())
    let target = site.server.port
    const proxy = createServer((socket) => {
      const far = connect(target, '127.0.0.1')
      socket.pipe(far).pipe(socket)
      for (const [here, there] of [
        [socket, far],
        [far, socket]
      ] as const) {
        here.on('error', () => {}).on('close', () => there.destroy())
      }
    })
    await once(proxy.listen(0, '127.0.0.1'), 'listening')
    atEnd(() => proxy.close())
    const { port } = proxy.address() as AddressInfo
    const one = await site.join({ connection: { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' } })
    const { got, losses } = await hear(one, topic)
    const { epoch } = await append(one, 'a')
    replica.promote()
    target = replica.port
    const [ended] = await site.sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like '%send_v1%' and pid <> pg_backend_pid()"
    )
    expect(ended).toBeDefined()
    await until(() =>
      append(one, 'b').then(
        () => true,
        () => false
      )
    )
    // What was appended meanwhile is read.
    await until(() => losses.length > 0 && one.health() === 'up')
    const { offset } = await append(one, 'c')
    await until(() => got.some(({ position }) => position?.epoch !== epoch && position?.offset === offset))
  })
})
