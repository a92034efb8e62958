import { Pool } from 'pg'
import { pages } from '../src/docs.ts'
import { postgresBackplane, postgresSchema } from '../src/index.ts'
import { resolveOptions } from '../src/options.ts'

const connection = 'postgresql://127.0.0.1:1/none'
const pool = new Pool({ connectionString: connection, password: 'secret', max: 3 })

test('has defaults for options that are left out or undefined', () => {
  expect(resolveOptions({ connection, schema: undefined })).toEqual({
    connection: { connectionString: connection },
    schema: 'oneport',
    createSchema: true,
    maxPendingBytes: 33_554_432,
    timeoutMs: 5_000,
    onError: expect.any(Function)
  })
})

test('takes the options of a pool, also the password, which it hides', () => {
  expect(Object.keys(pool.options)).not.toContain('password')
  expect(resolveOptions({ pool }).connection).toMatchObject({ connectionString: connection, password: 'secret' })
})

test.each([
  [null, 'options: expected an object; got null'],
  [{}, 'connection: expected a URL or an object, or a pool instead; got undefined'],
  [{ connection: 5 }, 'connection: expected a URL or an object, or a pool instead; got 5'],
  [{ pool: {} }, 'pool: expected a Pool of pg; got [object Object]'],
  [pool, 'options: expected an object; got a pool; did you mean { pool }?'],
  [{ connection, createSchema: 'no' }, "createSchema: expected a boolean; got 'no'"],
  [
    { connection, maxPendingBytes: 0 },
    'maxPendingBytes: expected a positive whole number of bytes, or Infinity; got 0'
  ],
  [
    { connection, timeoutMs: '500' },
    "timeoutMs: expected a whole number of milliseconds from 1 to 2147483647; got '500'; did you mean 500?"
  ],
  [{ connection, onError: {} }, 'onError: expected a function; got [object Object]']
])('refuses %#', (options, message) => {
  expect(() => postgresBackplane(options as never)).toThrow(new TypeError(`postgresBackplane: ${message}`))
})

test('refuses a connection beside a pool, and unknown options', () => {
  expect(() => postgresBackplane({ connection, pool })).toThrow('expected connection or pool; got both')
  expect(() => postgresBackplane({ connection, timeout: 1 } as never)).toThrow("'timeout'; did you mean timeoutMs?")
  expect(() => postgresBackplane(JSON.parse('{"__proto__":1}'))).toThrow(`'__proto__'; see ${pages}/postgres.md`)
})

test.each(['', 'x; drop table y', 'a"b', 'Upper', '1st', 'pg_own', 'x'.repeat(51), 'é', 7, null])(
  'security: refuses %p as a schema',
  (schema) => {
    expect(() => postgresBackplane({ connection, schema } as never)).toThrow(
      'schema: expected 1 to 50 lower-case letters'
    )
    expect(() => postgresSchema(schema as string)).toThrow(TypeError)
  }
)

test('a schema of 50 letters leaves room for a channel', () => {
  expect(postgresSchema('x'.repeat(50))).toContain(`${'x'.repeat(50)}.topics`)
})
