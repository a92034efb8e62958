import { describeWith, postgresProgram } from '@oneport/test-kit'
import { Pool } from 'pg'
import { stopAll } from '../../topics/test/pair.ts'
import { postgresSchema } from '../src/index.ts'
import { channelOf } from '../src/notification.ts'
import { hear, limits, open, openSite, until } from './site.ts'

jest.setTimeout(60_000)

afterEach(stopAll)

describeWith(postgresProgram, 'with a real PostgreSQL', () => {
  let site: Awaited<ReturnType<typeof openSite>>
  let topic: string
  let count = 0

  beforeAll(async () => {
    site = await openSite()
  })

  afterAll(() => site.stop())

  beforeEach(() => {
    topic = `news of ${++count}`
  })

  test('gives messages consecutive offsets, and all nodes get them in that order', async () => {
    const [one, other] = [await site.join(), await site.join()]
    const [mine, theirs] = [await hear(one, topic), await hear(other, topic)]
    const sent = Array.from({ length: 600 }, (_, index) =>
      [one, other].map((node) => [node, `${index}`] as const)
    ).flat()
    const places = await Promise.all(sent.map(([node, text]) => node.append(topic, Buffer.from(text), limits)))
    await until(() => mine.got.length === 1_200 && theirs.got.length === 1_200)
    expect(mine.got).toEqual(theirs.got)
    expect(mine.got.map(({ position }) => position?.offset)).toEqual(
      Array.from({ length: 1_200 }, (_, index) => index + 1)
    )
    expect(new Set(places.map(({ epoch }) => epoch)).size).toBe(1)
    expect(places.filter((_, index) => index % 2 === 0).map(({ offset }) => offset)).toEqual(
      places
        .filter((_, index) => index % 2 === 0)
        .map(({ offset }) => offset)
        .toSorted((a, b) => a - b)
    )
  })

  test('nodes that send to many topics at once in different orders do not lock each other out', async () => {
    const nodes = [await site.join(), await site.join(), await site.join()]
    const names = Array.from({ length: 40 }, (_, index) => `${topic} ${index}`)
    const work = nodes.flatMap((node, index) =>
      Array.from({ length: 20 }, () => (index === 1 ? names.toReversed() : names))
        .flat()
        .map((name) => node.append(name, Buffer.from('x'), limits))
    )
    await Promise.all(work)
    for (const name of names) expect((await nodes[0]?.read(name, undefined, limits))?.last).toBe(60)
  })

  test('messages that are too large for a notification are read, and keep their place among small ones', async () => {
    const [one, other] = [await site.join(), await site.join()]
    const { got, losses } = await hear(other, topic)
    const texts = [5, 5_700, 5_800, 5_900, 6_000, 3, 7_999, 8_000, 1_000_000, 4].map((size) =>
      String(size).padEnd(size, '.')
    )
    for (const text of texts) void one.append(topic, Buffer.from(text), limits)
    await until(() => got.length === texts.length)
    expect(got.map(({ text }) => text)).toEqual(texts)
    expect(got.map(({ position }) => position?.offset)).toEqual(texts.map((_, index) => index + 1))
    expect(losses).toEqual([])
  })

  test('messages without history may be large too, and stay in order', async () => {
    const [one, other] = [await site.join(), await site.join()]
    const { got, losses } = await hear(other, topic)
    const texts = ['a', 'b'.repeat(100_000), 'c', 'd'.repeat(20_000), '']
    for (const text of texts) void one.publish(topic, Buffer.from(text))
    await until(() => got.length === texts.length)
    expect(got).toEqual(texts.map((text) => ({ text, position: undefined })))
    expect(losses).toEqual([])
  })

  test('a large message that is gone before it is read is reported as lost', async () => {
    const one = await site.join()
    const { losses } = await hear(one, topic)
    const { epoch } = await one.append(topic, Buffer.from('a'), limits)
    const name = Buffer.from(topic).toString('base64')
    await site.sql('select pg_notify($1, $2)', [channelOf('oneport', topic), `${epoch} 7 ${name}`])
    await until(() => losses.length > 0)
    expect(losses).toEqual([topic])
  })

  test('accepts any well-formed name for a topic', async () => {
    const names = ['', '\0', ' a\r\nb', "';", '"', '\\', '__proto__', '🚀', '%', '$1', 'é'.repeat(1_000)]
    const [one, other] = [await site.join(), await site.join()]
    for (const name of names) {
      const { got } = await hear(other, name)
      const position = await one.append(name, Buffer.from(name), limits)
      await until(() => got.length > 0)
      expect(got).toEqual([{ text: name, position }])
      expect((await one.read(name, undefined, limits)).messages.map(String)).toEqual([name])
    }
  })

  test('refuses names that cannot be written, and those that are too long', async () => {
    const one = await site.join()
    for (const call of [
      one.append('\ud800', Buffer.alloc(0), limits),
      one.read('\ud800', undefined, limits),
      hear(one, '\ud800')
    ]) {
      await expect(call).rejects.toThrow('lone surrogate')
    }
    await expect(one.publish('x'.repeat(2_049), Buffer.alloc(0))).rejects.toThrow('more than 2048 bytes')
  })

  test('a message of the same name is appended once in 90 seconds', async () => {
    const [one, other] = [await site.join(), await site.join()]
    const { got } = await hear(one, topic)
    const names = ['a', 'a', 'b', 'a', undefined, undefined, 'x'.repeat(10_000)]
    const places = await Promise.all(
      names.map((name, index) => one.append(topic, Buffer.from(String(index)), limits, name))
    )
    expect(places.map(({ offset }) => offset)).toEqual([1, 1, 2, 1, 3, 4, 5])
    expect(await other.append(topic, Buffer.from('again'), limits, 'b')).toEqual(places[2])
    await site.sql('update oneport.names set at = at - 90000')
    expect((await other.append(topic, Buffer.from('later'), limits, 'b')).offset).toBe(6)
    await until(() => got.length === 6)
    expect(got.map(({ text }) => text)).toEqual(['0', '2', '4', '5', '6', 'later'])
  })

  test.each([
    ['number', { messages: 3 }, 3],
    ['bytes', { bytes: 25 }, 2],
    ['age', { ms: 1 }, 0],
    ['nothing', { messages: Infinity, ms: Infinity, bytes: Infinity }, 5]
  ])('trims by %s', async (_what, some, left) => {
    const one = await site.join()
    const strict = { ...limits, ...some }
    for (let index = 0; index < 5; index++) await one.append(topic, Buffer.alloc(10), strict)
    await until(async () => (await one.read(topic, undefined, strict)).messages.length <= left)
    const kept = await one.read(topic, undefined, strict)
    expect(kept.last).toBe(5)
    expect(kept.messages).toHaveLength(left)
    const [row] = await site.sql('select first, bytes from oneport.topics where topic = $1', [Buffer.from(topic)])
    if (left > 0) expect(row).toEqual({ first: String(6 - left), bytes: String(10 * left) })
  })

  test('reads what is newer than a position of the same epoch', async () => {
    const one = await site.join()
    const texts = ['a', 'b', 'c', 'd']
    const places = await Promise.all(texts.map((text) => one.append(topic, Buffer.from(text), limits)))
    const { epoch } = places[0] ?? { epoch: '' }
    const read = async (after: { epoch: string; offset: number } | undefined) =>
      (await one.read(topic, after, limits)).messages.map(String)
    expect(await read(undefined)).toEqual(texts)
    expect(await read({ epoch, offset: 2 })).toEqual(['c', 'd'])
    expect(await read({ epoch, offset: 4 })).toEqual([])
    expect(await read({ epoch: 'other', offset: 3 })).toEqual(texts)
  })

  test('a topic that is read first has the same epoch later, at all nodes', async () => {
    const [one, other] = [await site.join(), await site.join()]
    const [mine, theirs] = await Promise.all([one.read(topic, undefined, limits), other.read(topic, undefined, limits)])
    expect(mine).toEqual({ epoch: theirs.epoch, last: 0, messages: [] })
    expect(await one.append(topic, Buffer.from('a'), limits)).toEqual({ epoch: mine.epoch, offset: 1 })
  })

  test('messages behind a hole are not read', async () => {
    const one = await site.join()
    const { epoch } = await one.append(topic, Buffer.from('1'), limits)
    for (const text of ['2', '3', '4']) await one.append(topic, Buffer.from(text), limits)
    await site.sql(
      'delete from oneport.messages m using oneport.topics t where t.id = m.topic_id and t.epoch = $1 and number = 2',
      [epoch]
    )
    expect((await one.read(topic, undefined, limits)).messages.map(String)).toEqual(['3', '4'])
  })

  test('what is too old is removed, and topics that nobody uses', async () => {
    const one = await site.join()
    const names = ['used', 'unused', 'fresh'].map((name) => `${topic} ${name}`)
    for (const name of names) await one.append(name, Buffer.from('a'), limits, 'n')
    const find = async () =>
      (
        await site.sql('select topic, first, last from oneport.topics where topic = any ($1) order by id', [
          names.map((name) => Buffer.from(name))
        ])
      ).map(({ topic: bytes, first, last }) => [String(bytes), first, last])
    const sweep = (): Promise<unknown> =>
      site.sql('select oneport.sweep_v1($1, $2)', ['kept', [Buffer.from(names[0] as string)]])
    const age = (): Promise<unknown> =>
      site.sql('update oneport.topics set due_at = 0, written_by = pg_current_xact_id() where topic = any ($1)', [
        names.slice(0, 2).map((name) => Buffer.from(name))
      ])
    await site.sql("insert into oneport.nodes values ('kept', 1, 0), ('gone', 1, 0)")
    await age()
    await sweep()
    const nodes = (await site.sql('select id from oneport.nodes')).map(({ id }) => id)
    expect([nodes.includes('kept'), nodes.includes('gone')]).toEqual([true, false])
    expect(await find()).toEqual([
      [names[0], '2', '1'],
      [names[1], '2', '1'],
      [names[2], '1', '1']
    ])
    await age()
    await sweep()
    expect((await find()).map(([name]) => name)).toEqual([names[0], names[2]])
    expect((await one.append(names[0] as string, Buffer.from('b'), limits)).offset).toBe(2)
    await site.sql('update oneport.names set at = 0')
    await sweep()
    expect(await site.sql('select from oneport.names')).toHaveLength(0)
  })

  test('ignores notifications that no node has sent', async () => {
    const one = await site.join()
    const { got, losses } = await hear(one, topic)
    const name = Buffer.from(topic).toString('base64')
    for (const payload of ['', 'x', '- -', `a b ${name} x`, `- - ${name} *`, '- - bm9ib2R5 eA==', `- x ${name}`]) {
      await site.sql('select pg_notify($1, $2)', [channelOf('oneport', topic), payload])
    }
    const position = await one.append(topic, Buffer.from('real'), limits)
    await until(() => got.length > 0)
    expect(got).toEqual([{ text: 'real', position }])
    expect(losses).toEqual([])
  })

  test('nodes of another schema hear nothing', async () => {
    const [one, other] = [await site.join(), await site.join({ schema: 'elsewhere' })]
    const [mine, theirs] = [await hear(one, topic), await hear(other, topic)]
    await one.append(topic, Buffer.from('a'), limits)
    await other.append(topic, Buffer.from('b'), limits)
    await until(() => mine.got.length > 0 && theirs.got.length > 0)
    expect([mine.got, theirs.got].map((got) => got.map(({ text }) => text))).toEqual([['a'], ['b']])
  })

  test('takes the options of a pool, and leaves the pool alone', async () => {
    await site.sql("create role walter login password 'secret'; grant create on database postgres to walter")
    const pool = new Pool({
      host: '127.0.0.1',
      port: site.server.port,
      user: 'walter',
      password: 'secret',
      database: 'postgres'
    })
    const one = open(site.server, { connection: undefined, pool, schema: 'of_pool' })
    await until(() => one.health() === 'up')
    expect((await one.append(topic, Buffer.from('a'), limits)).offset).toBe(1)
    expect(pool.totalCount).toBe(0)
    await pool.end()
  })

  test('works with a role that may do nothing else, if the schema is there', async () => {
    await site.sql(postgresSchema('prepared'))
    await site.sql(postgresSchema('prepared'))
    await site.sql(`create role ann login; grant usage on schema prepared to ann;
      grant select, insert, update, delete on all tables in schema prepared to ann`)
    const one = await site.join({ connection: site.server.url('ann'), schema: 'prepared', createSchema: false })
    const { got } = await hear(one, topic)
    await one.append(topic, Buffer.from('a'), limits)
    await one.publish(topic, Buffer.alloc(100_000))
    await until(() => got.length === 2)
    await site.sql("set role ann; select prepared.sweep_v1('', '{}')")
  })

  test('says that the schema is missing if it must not create it', async () => {
    const errors: unknown[] = []
    const one = open(site.server, { schema: 'missing', createSchema: false, onError: (error) => errors.push(error) })
    await until(() => errors.length > 0)
    expect(String(errors[0])).toContain('The schema missing has no tables of Oneport: run postgresSchema()')
    expect(one.health()).toBe('down')
    expect(await site.sql("select from pg_namespace where nspname = 'missing'")).toHaveLength(0)
  })

  test('commits safely and row by row, whatever the defaults of the server', async () => {
    await site.sql(`create role ed login; grant create on database postgres to ed; alter role ed set synchronous_commit = off;
      alter role ed set default_transaction_isolation = 'serializable'`)
    const nodes = await Promise.all([1, 2].map(() => site.join({ connection: site.server.url('ed'), schema: 'of_ed' })))
    await Promise.all(
      nodes.flatMap((node) => Array.from({ length: 200 }, () => node.append(topic, Buffer.from('a'), limits)))
    )
    expect((await nodes[0]?.read(topic, undefined, limits))?.last).toBe(400)
  })

  test('leaves nothing behind when it is closed, and refuses later calls', async () => {
    const one = await site.join({ connection: `${site.server.url()}?application_name=leaver` })
    await hear(one, topic)
    const last = one.append(topic, Buffer.from('last'), limits)
    await Promise.all([one.close(), one.close()])
    expect((await last).offset).toBe(1)
    await until(
      async () => (await site.sql("select from pg_stat_activity where application_name = 'leaver'")).length === 0
    )
    expect(one.health()).toBe('down')
    await expect(one.append(topic, Buffer.from('x'), limits)).rejects.toThrow('closed')
    await expect(one.read(topic, undefined, limits)).rejects.toThrow('closed')
  })

  test('listens only where it has topics', async () => {
    const one = await site.join({ connection: `${site.server.url()}?application_name=listener` })
    await hear(one, topic)
    const last = async () =>
      (
        await site.sql(
          "select query from pg_stat_activity where application_name = 'listener' and query like '%listen%'"
        )
      ).map(({ query }) => query)
    expect((await last())[0]).toMatch(/^listen oneport_[0-9a-f]{2}$/)
    await one.unsubscribe(topic)
    expect((await last())[0]).toMatch(/^unlisten oneport_[0-9a-f]{2}$/)
  })
})
