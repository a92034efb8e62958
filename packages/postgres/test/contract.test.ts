import { describeWith, postgresProgram } from '@oneport/test-kit'
import { backplaneContract } from '@oneport/topics/contract'
import { postgresBackplane } from '../src/index.ts'
import { openSite } from './site.ts'

jest.setTimeout(60_000)

describeWith(postgresProgram, 'with a real PostgreSQL', () => {
  let site: Awaited<ReturnType<typeof openSite>>
  let count = 0

  beforeAll(async () => {
    site = await openSite()
  })

  afterAll(() => site.stop())

  const cases = backplaneContract(() => {
    const schema = `case_${++count}`
    return {
      node: () => postgresBackplane({ connection: site.server.url(), schema }),
      cut: () => site.server.kill(),
      restore: () => site.server.start(),
      forget: () => site.sql(`truncate ${schema}.topics cascade`),
      stop: () => site.sql(`drop schema if exists ${schema} cascade`)
    }
  })

  test.each(cases)('$name', ({ run }) => run())
})
