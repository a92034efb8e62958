import { chromium, describeWith } from '@oneport/test-kit'
import type { Program } from '../../src/program.ts'
import { openPage, openTab, start } from '../stage.ts'

const begin = (program: Program, below: unknown): Promise<Response> =>
  program.fetch('/jobs', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ below })
  })

/** Everything that a client gets until the job is done, and how its connection ends. */
async function follow(program: Program, path: string): Promise<{ told: Record<string, unknown>[]; code: number }> {
  const { closed, next } = await program.connect(path)
  const told: Record<string, unknown>[] = []
  while (told.at(-1)?.state !== 'done') told.push(JSON.parse(await next()))
  return { told, code: (await closed).code }
}

describe('the application progress', () => {
  test('reports the progress and the result of a job to all who follow it', async () => {
    const program = await start('progress')
    const answer = await begin(program, 1_000_000)
    expect(answer.status).toBe(202)
    const path = answer.headers.get('Location') ?? ''
    const both = await Promise.all([follow(program, `${path}/progress`), follow(program, `${path}/progress`)])
    for (const { told, code } of both) {
      expect(code).toBe(1000)
      const percents = told.map(({ percent }) => Number(percent))
      expect(percents).toEqual([...percents].sort((one, other) => one - other))
      expect(told.at(-1)).toEqual({ state: 'done', percent: 100, result: 78_498 })
    }
    expect(await (await program.fetch(path)).json()).toEqual({ state: 'done', percent: 100, result: 78_498 })
    // Late followers get the result at once.
    const late = await follow(program, `${path}/progress`)
    expect(late).toEqual({ told: [{ state: 'done', percent: 100, result: 78_498 }], code: 1000 })
  })

  test('refuses unknown jobs', async () => {
    const program = await start('progress')
    expect((await program.connect('/jobs/unknown/progress')).status).toBe(404)
    for (const below of [undefined, '1000', 9, 20_000_001, 100.5])
      expect((await begin(program, below)).status).toBe(400)
  })

  test('runs a few jobs at once, and no more', async () => {
    const program = await start('progress')
    const answers = await Promise.all(Array.from({ length: 6 }, () => begin(program, 20_000_000)))
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 202, 202, 202, 503, 503])
  })
})

describeWith(chromium, 'the page of the application progress', () => {
  test('follows a job to its end, in another tab too', async () => {
    const program = await start('progress')
    const page = await openPage(program.origin)
    await page.getByLabel('Count the primes below').fill('3000000')
    await page.getByRole('button', { name: 'Start' }).click()
    await page.waitForURL(/#[0-9a-f-]{36}$/)
    const tab = await openTab(page.context(), page.url())
    for (const each of [page, tab]) {
      await each.getByText('Done: 216816 primes.').waitFor()
      expect(await each.getByRole('progressbar').getAttribute('value')).toBe('100')
    }
  })
})
