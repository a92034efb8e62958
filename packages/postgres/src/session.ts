import type { Query, Row } from './connection.ts'
import { pages } from './docs.ts'
import { lastFunction, postgresSchema } from './schema.ts'

interface Session {
  readonly schema: string
  readonly createSchema: boolean
  readonly timeoutMs: number
}

/** Sets what the functions rely on, and creates the schema if it is missing. */
export async function beginSession(query: Query, { schema, createSchema, timeoutMs }: Session): Promise<void> {
  await query(
    [
      "set default_transaction_isolation = 'read committed'",
      // Otherwise a crash may lose what was acknowledged.
      "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
      `set statement_timeout = ${timeoutMs}`,
      // A node that does not read would keep all notifications of the server in its queue.
      'set tcp_user_timeout = 60000'
    ].join(';')
  )
  const [found] = await query(`select to_regprocedure('${schema}.${lastFunction}') is not null as "isThere"`)
  if (found?.isThere === true) return
  if (!createSchema) {
    throw new Error(`The schema ${schema} has no tables of Oneport: run postgresSchema(), see ${pages}/postgres.md`)
  }
  // Nodes may start at the same time. Several statements at once are one transaction.
  await query(`select pg_advisory_xact_lock(hashtext('oneport:${schema}'));${postgresSchema(schema)}`)
}

interface Greeting {
  readonly server: string
  /** Whether the server has lost something that it has acknowledged. */
  readonly isOlder: boolean
}

export async function greet(query: Query, schema: string, node: string, acknowledged: number): Promise<Greeting> {
  const [row = {} as Row] = await query(`select * from ${schema}.greet_v1($1, $2)`, [node, acknowledged])
  return { server: String(row.server), isOlder: row.is_older === true }
}
