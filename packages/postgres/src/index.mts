export {
  type PostgresBackplaneOptions,
  type PostgresConnection,
  type PostgresPool,
  postgresBackplane,
  postgresSchema
} from './index.ts'
