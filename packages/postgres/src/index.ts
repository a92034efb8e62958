export type { PostgresBackplaneOptions, PostgresConnection, PostgresPool } from './options.ts'
export { postgresBackplane } from './postgres-backplane.ts'
export { postgresSchema } from './schema.ts'
