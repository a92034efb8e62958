import { expected } from './expected.ts'

/** Channels are named after the schema, and PostgreSQL cuts names off after 63 bytes. */
const identifier = /^[a-z_][a-z0-9_]{0,49}$/

/**
 * A name that can stand in SQL without quotes.
 * @throws TypeError if it is anything else
 */
export function checkSchema(name: unknown): string {
  if (typeof name === 'string' && identifier.test(name) && !name.startsWith('pg_')) return name
  throw expected('schema', '1 to 50 lower-case letters, digits and _, not starting with a digit or pg_', name)
}
